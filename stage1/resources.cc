// SPDX-License-Identifier: Apache-2.0
#include "stage1/resources.hh"

#include <algorithm>

#include <fmt/format.h>

#include "common/sys/error.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t most_shares = 262144;
constexpr std::uint64_t shares_per_core = 1024;

bool has_controller(const PodFacts& facts, const char* controller)
{
    return std::find(facts.controllers.begin(), facts.controllers.end(), controller) != facts.controllers.end();
}

// Whether an isolator can be had; if not, that is reported.
bool can_enforce(const char* isolator, const char* controller, const PodFacts& facts, std::vector<std::string>& reports)
{
    if (has_controller(facts, controller))
        return true;
    reports.push_back(fmt::format("{} is not enforced: the pod's cgroup has no {} controller", isolator, controller));
    return false;
}

void check_limit(const char* isolator, const std::optional<model::Quantity>& limit)
{
    if (limit && limit->is_zero())
        fail(Error::Kind::usage, "{} has a limit of zero", isolator);
}

std::optional<model::Quantity> request_of(const model::Resource& resource, const char* isolator,
                                          std::vector<std::string>& reports)
{
    if (!resource.request || !resource.limit || *resource.request <= *resource.limit)
        return resource.request ? resource.request : resource.limit; // RES-1
    reports.push_back(fmt::format("{}: the request is lowered to the limit, {}", isolator, resource.limit->str()));
    return resource.limit;
}

void add_memory(Resources& limits, const model::Resource& memory, const PodFacts& facts,
                std::vector<std::string>& reports)
{
    constexpr const char* name = "resource/memory";
    check_limit(name, memory.limit);
    const auto request = request_of(memory, name, reports);
    if (!can_enforce(name, "memory", facts, reports))
        return;
    if (memory.limit)
        limits.memory_max = static_cast<std::uint64_t>(memory.limit->ceil_units());
    if (request && (!memory.limit || *request < *memory.limit)) // all of it protected would leave nothing to reclaim
        limits.memory_low = static_cast<std::uint64_t>(request->ceil_units());
}

void add_cpu(Resources& limits, const model::Resource& cpu, const PodFacts& facts, std::vector<std::string>& reports)
{
    constexpr const char* name = "resource/cpu";
    constexpr std::int64_t most_milli = 1'000'000'000; // a million cores; keeps the products below in range
    check_limit(name, cpu.limit);
    const auto request = request_of(cpu, name, reports);
    if (!can_enforce(name, "cpu", facts, reports))
        return;
    if (cpu.limit)
        limits.cpu_quota_usec = static_cast<std::uint64_t>(std::min(cpu.limit->ceil_milli(), most_milli)) * 1000;
    if (request) {
        const auto milli = static_cast<std::uint64_t>(std::min(request->ceil_milli(), most_milli));
        limits.cpu_weight = weight_of_shares(std::clamp<std::uint64_t>(milli * shares_per_core / 1000, 2, most_shares));
    }
}

void add_block(std::optional<std::uint64_t>& limit, const std::optional<model::Resource>& resource, const char* name,
               const PodFacts& facts, std::vector<std::string>& reports)
{
    if (!resource || !resource->limit)
        return;
    check_limit(name, resource->limit);
    if (can_enforce(name, "io", facts, reports))
        limit = static_cast<std::uint64_t>(resource->limit->ceil_units());
}

} // namespace

std::uint64_t weight_of_shares(std::uint64_t shares)
{
    return 1 + (shares - 2) * 9999 / 262142;
}

Resources app_resources(const model::Isolators& isolators, const PodFacts& facts, std::vector<std::string>& reports)
{
    Resources limits{.open_files = facts.open_files};
    if (const auto memory = isolators.memory())
        add_memory(limits, *memory, facts, reports);
    if (const auto cpu = isolators.cpu())
        add_cpu(limits, *cpu, facts, reports);
    if (const auto shares = isolators.cpu_shares(); shares && can_enforce("os/linux/cpu-shares", "cpu", facts, reports))
        limits.cpu_weight = weight_of_shares(*shares); // wins over the request of resource/cpu (SHR-1)
    add_block(limits.block_bandwidth, isolators.block_bandwidth(), "resource/block-bandwidth", facts, reports);
    add_block(limits.block_iops, isolators.block_iops(), "resource/block-iops", facts, reports);
    if (limits.block_bandwidth || limits.block_iops)
        limits.disks = facts.disks;
    if (isolators.find("resource/network-bandwidth") != nullptr)
        throw Error{Error::Kind::unsupported, "resource/network-bandwidth cannot be enforced",
                    "limit a network of the pod instead: with the plugin bandwidth in its configuration"};
    return limits;
}

std::vector<std::string> io_max_lines(const Resources& limits)
{
    std::vector<std::string> lines;
    const auto add = [&](const std::optional<std::uint64_t>& limit, const char* reading, const char* writing) {
        if (limit)
            for (const auto& disk : limits.disks)
                lines.push_back(fmt::format("{} {}={} {}={}", disk, reading, *limit, writing, *limit));
    };
    add(limits.block_bandwidth, "rbps", "wbps");
    add(limits.block_iops, "riops", "wiops");
    return lines;
}

std::optional<int> oom_score_adjust(const model::Isolators& isolators, const PodFacts& facts,
                                    std::vector<std::string>& reports)
{
    const auto wanted = isolators.oom_score_adj();
    if (!wanted || *wanted >= facts.lowest_oom_score)
        return wanted;
    reports.push_back(fmt::format("os/linux/oom-score-adj {} is not in force: this host does not let it go below {}",
                                  *wanted, facts.lowest_oom_score));
    return std::nullopt;
}

} // namespace rocket::stage1

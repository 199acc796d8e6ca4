// SPDX-License-Identifier: Apache-2.0
#include "stage1/pod_limits.hh"

#include <algorithm>
#include <array>

#include "common/sys/cgroup.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage1/resources.hh"

namespace rocket::stage1
{

namespace
{

void add_resources(PodLimits& limits, const Resources& resources)
{
    const auto add = [&](const char* file, const std::optional<std::uint64_t>& value) {
        if (value)
            limits.files.emplace_back(file, fmt::to_string(*value));
    };
    add("memory.max", resources.memory_max);
    if (resources.memory_max)
        limits.files.emplace_back("memory.swap.max", "0");
    add("memory.low", resources.memory_low);
    constexpr std::uint64_t period = 100'000; // microseconds
    if (resources.cpu_quota_usec)
        limits.files.emplace_back(
            "cpu.max", fmt::format("{} {}", std::max<std::uint64_t>(*resources.cpu_quota_usec / 10, 1000), period));
    add("cpu.weight", resources.cpu_weight);
}

// Names in /proc/sys that belong to a namespace of the pod.
bool is_of_network(std::string_view name)
{
    return name.starts_with("net/");
}

bool is_of_ipc(std::string_view name)
{
    constexpr std::array<std::string_view, 9> names{"kernel/msgmax", "kernel/msgmnb",          "kernel/msgmni",
                                                    "kernel/sem",    "kernel/shmall",          "kernel/shmmax",
                                                    "kernel/shmmni", "kernel/shm_rmid_forced", "kernel/auto_msgmni"};
    return name.starts_with("fs/mqueue/") || std::ranges::find(names, name) != names.end();
}

std::string with_slashes(std::string key)
{
    // As sysctl(8): the first separator says which of the two it is.
    const auto first = key.find_first_of("./");
    if (first != std::string::npos && key[first] == '.')
        std::ranges::transform(key, key.begin(), [](char c) { return c == '.' ? '/' : c == '/' ? '.' : c; });
    return key;
}

bool is_plain_path(const std::string& path)
{
    const auto parts = text::split(path, '/');
    return std::ranges::none_of(parts, [](const auto& part) { return part.empty() || part == "." || part == ".."; });
}

} // namespace

PodLimits pod_limits(const model::Isolators& isolators, const PodFacts& facts)
{
    PodLimits limits;
    auto resources = app_resources(isolators, facts, limits.reports);
    if (isolators.cpu_shares()) // not one for pods (ISO-7)
        resources.cpu_weight.reset();
    add_resources(limits, resources);
    for (auto& line : io_max_lines(resources))
        limits.files.emplace_back("io.max", std::move(line));
    for (const auto& name : isolators.unknown_names())
        limits.reports.push_back(fmt::format("isolator {} is not known here, ignored", text::quoted(name)));
    for (const auto& name : isolators.out_of_scope(model::Scope::pod))
        limits.reports.push_back(fmt::format("isolator {} is not one for pods, ignored", text::quoted(name)));
    return limits;
}

std::vector<std::string> disks_to_limit(const model::PodManifest& pod)
{
    const auto limits_disks = [](const model::Isolators& isolators) {
        return isolators.block_bandwidth() || isolators.block_iops();
    };
    const bool wanted = limits_disks(pod.isolators) || std::ranges::any_of(pod.apps, [&](const auto& app) {
                            return limits_disks(app.app->isolators);
                        });
    if (!wanted)
        return {};
    std::vector<std::string> disks;
    for (const auto& name : file::list_if_exists(AT_FDCWD, "/sys/block").value_or(std::vector<std::string>{}))
        if (const auto number = file::read_if_exists(AT_FDCWD, fmt::format("/sys/block/{}/dev", name), 4096))
            disks.emplace_back(text::trim(*number));
    return disks;
}

void apply(const PodLimits& limits, const std::string& group)
{
    if (limits.files.empty())
        return;
    const auto directory = cgroup::open(group);
    for (const auto& file : limits.files) {
        const auto& name = file.first;
        const auto& value = file.second;
        with_context(fmt::format("limiting the pod: {} in {}", text::quoted(value), name), [&] {
            const auto fd = sys::open(directory.get(), name, O_WRONLY | O_NOFOLLOW);
            sys::write_all(fd.get(), value);
        });
    }
}

std::map<std::string, std::string> kernel_parameters(const model::Isolators& isolators, bool new_network, bool new_ipc)
{
    std::map<std::string, std::string> parameters;
    for (const auto& [key, value] : isolators.sysctls()) {
        auto name = with_slashes(key);
        const bool own = (is_of_network(name) && new_network) || (is_of_ipc(name) && new_ipc) ||
                         name == "kernel/domainname" || name == "kernel/hostname";
        if (!own || !is_plain_path(name))
            throw Error{Error::Kind::usage,
                        fmt::format("kernel parameter {} is not the pod's to set", text::quoted(key)),
                        "net.* goes with a network of the pod's own, kernel.shm*, kernel.msg*, kernel.sem and "
                        "fs.mqueue.* with its own IPC namespace"};
        parameters.emplace(std::move(name), value);
    }
    return parameters;
}

} // namespace rocket::stage1

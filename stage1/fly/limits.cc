// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/limits.hh"

#include <algorithm>

#include <fmt/format.h>

#include "common/sys/cgroup.hh"
#include "common/sys/text.hh"
#include "stage1/resources.hh"

namespace rocket::stage1::fly
{

namespace
{

constexpr std::uint64_t period_usec = 100'000;
constexpr std::uint64_t longest_period_usec = 1'000'000;
constexpr std::uint64_t least_quota_usec = 1000; // of the kernel's

// The quota of a second, in a period as short as it can be.
std::string cpu_max(std::uint64_t usec_per_second)
{
    const auto usual = usec_per_second * period_usec / longest_period_usec;
    if (usual >= least_quota_usec)
        return fmt::format("{} {}", usual, period_usec);
    return fmt::format("{} {}", std::max(usec_per_second, least_quota_usec), longest_period_usec);
}

} // namespace

std::vector<Setting> settings_of(const Resources& limits)
{
    std::vector<Setting> all{{"pids.max", fmt::to_string(limits.tasks_max)}};
    if (limits.memory_max) {
        all.emplace_back("memory.max", fmt::to_string(*limits.memory_max));
        all.emplace_back("memory.swap.max", "0");
    }
    if (limits.memory_low)
        all.emplace_back("memory.low", fmt::to_string(*limits.memory_low));
    if (limits.cpu_quota_usec)
        all.emplace_back("cpu.max", cpu_max(*limits.cpu_quota_usec));
    if (limits.cpu_weight)
        all.emplace_back("cpu.weight", fmt::to_string(*limits.cpu_weight));
    for (auto& line : io_max_lines(limits))
        all.emplace_back("io.max", std::move(line));
    all.emplace_back("memory.oom.group", "1"); // an app is killed as a whole
    return all;
}

void set_limits(const Resources& limits, const std::string& group)
{
    for (const auto& [file, value] : settings_of(limits))
        cgroup::set(group, file, value);
}

bool was_out_of_memory(const std::string& group)
{
    for (const auto& line : text::split(cgroup::get(group, "memory.events").value_or(""), '\n'))
        if (line.starts_with("oom_kill ") && line != "oom_kill 0")
            return true;
    return false;
}

} // namespace rocket::stage1::fly

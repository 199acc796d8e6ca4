// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/limits.hh"

#include <algorithm>

#include <doctest/doctest.h>

using namespace rocket::stage1;

namespace
{

std::string value_of(const Resources& limits, const std::string& file)
{
    const auto all = fly::settings_of(limits);
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& setting) { return setting.first == file; });
    return found == all.end() ? "" : found->second;
}

} // namespace

TEST_CASE("fly limits: what is not asked for is not set, but for the number of tasks (R16)")
{
    CHECK(value_of({}, "pids.max") == "4096");
    for (const char* file : {"memory.max", "memory.swap.max", "memory.low", "cpu.max", "cpu.weight"})
        CHECK(value_of({}, file).empty());
}

TEST_CASE("fly limits: memory and cpu (RES-1..6)")
{
    Resources limits;
    limits.memory_max = 64 << 20;
    limits.memory_low = 1 << 20;
    limits.cpu_weight = 39;
    CHECK(value_of(limits, "memory.max") == "67108864");
    CHECK(value_of(limits, "memory.swap.max") == "0");
    CHECK(value_of(limits, "memory.low") == "1048576");
    CHECK(value_of(limits, "cpu.weight") == "39");
}

TEST_CASE("fly limits: a quota is never below what the kernel takes")
{
    Resources limits;
    const auto cpu_max = [&](std::uint64_t usec) {
        limits.cpu_quota_usec = usec;
        return value_of(limits, "cpu.max");
    };
    CHECK(cpu_max(1'500'000) == "150000 100000");
    CHECK(cpu_max(10'000) == "1000 100000");
    CHECK(cpu_max(5'000) == "5000 1000000");
    CHECK(cpu_max(1) == "1000 1000000");
}

// SPDX-License-Identifier: Apache-2.0
#include "stage1/capabilities.hh"

#include <bit>

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;
using Mode = model::CapabilitySet::Mode;

TEST_CASE("capabilities: the default is exactly the fourteen of CAP-2")
{
    CHECK(default_capabilities() == 0xa80425fb);
    CHECK(std::popcount(default_capabilities()) == 14);
}

TEST_CASE("capabilities: retain and remove sets (CAP-3, CAP-4, CAP-6)")
{
    struct {
        std::optional<model::CapabilitySet> set;
        std::uint64_t expected;
        std::size_t reports;
    } const rows[] = {
        {std::nullopt, 0xa80425fb, 0},
        {{{Mode::remove, {"CAP_SYS_CHROOT", "CAP_MKNOD"}}}, 0xa80425fb & ~(1ULL << 18) & ~(1ULL << 27), 0},
        {{{Mode::remove, {"CAP_SYS_ADMIN"}}}, 0xa80425fb, 0}, // not among the fourteen
        {{{Mode::retain, {"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}}}, (1ULL << 21) | (1ULL << 12), 0},
        {{{Mode::retain, {"CAP_PONIES"}}}, 0, 1},
        {{{Mode::retain, {"cap_sys_admin", "21", "CAP_21", "all", ""}}}, 0, 5},
        {{{Mode::remove, {"CAP_PONIES", "CAP_KILL"}}}, 0xa80425fb & ~(1ULL << 5), 1},
        {{{Mode::retain, {"CAP_CHECKPOINT_RESTORE", "CAP_CHOWN"}}}, 1, 1}, // last_capability is 39 below
    };
    for (const auto& row : rows) {
        std::vector<std::string> reports;
        CHECK(bounding_set(row.set, 39, reports) == row.expected);
        CHECK(reports.size() == row.reports);
    }
}

TEST_CASE("capabilities: all of a kernel's")
{
    CHECK(all_capabilities(40) == 0x1ffffffffff);
    CHECK(all_capabilities(63) == UINT64_MAX);
}

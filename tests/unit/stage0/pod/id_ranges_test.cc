// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/id_ranges.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "common/sys/sys.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using model::IdRange;

TEST_CASE("a range of ids is written as FIRST:COUNT and read back")
{
    const IdRange range{524288, 65536};
    CHECK(range.str() == "524288:65536");
    CHECK(IdRange::parse(range.str()) == range);
    for (const char* bad :
         {"", "1", ":", "1:", ":1", "1:0", "-1:2", "1:2:3", " 1:2", "4294967295:1", "1:4294967295", "0x1:2"})
        CHECK_THROWS_AS(IdRange::parse(bad), Error);
    CHECK(IdRange::parse("0:4294967295").end() == 4294967295U); // every id there is
}

TEST_CASE("ranges overlap when they have an id in common")
{
    const IdRange range{100, 10};
    CHECK(range.overlaps({109, 1}));
    CHECK(range.overlaps({0, 101}));
    CHECK(range.overlaps({0, 4000000000U}));
    CHECK_FALSE(range.overlaps({110, 1}));
    CHECK_FALSE(range.overlaps({90, 10}));
}

TEST_CASE("subuid(5): ranges of users; other lines give nothing")
{
    const auto all = pod::parse_subids("# comment\nme:100000:65536\n\nyou:x:1\nlong:1:2:3\nthem:165536:65536");
    CHECK(all == std::vector<IdRange>{{100000, 65536}, {165536, 65536}});
}

TEST_CASE("a user of the host keeps its range, and nobody else gets it")
{
    const Scratch scratch;
    const model::Layout layout{scratch.path()};
    sys::make_dir(AT_FDCWD, layout.locks(), 0700);
    const auto first = pod::reserve_id_range_of_user(layout, 1000);
    CHECK(pod::reserve_id_range_of_user(layout, 1000) == first);
    CHECK_FALSE(pod::reserve_id_range_of_user(layout, 1001).overlaps(first));
    CHECK(Scratch::names_in(layout.data() + "/users") == std::vector<std::string>{"1000", "1001"});
}

TEST_CASE("a free range is chosen, the nearest to where chance has it")
{
    const auto first = pod::choose_id_range({}, 0);
    REQUIRE(first);
    CHECK(*first == IdRange{0x80000, 0x10000});
    CHECK(pod::choose_id_range({*first}, 0) == IdRange{0x90000, 0x10000});
    CHECK(pod::choose_id_range({{0x80000, 1}, {0x9ffff, 1}}, 0) == IdRange{0xa0000, 0x10000});
    const std::uint32_t last = (0x6fff0000 - 0x80000) / 0x10000;
    CHECK(pod::choose_id_range({}, last) == IdRange{0x6fff0000, 0x10000});
    CHECK(pod::choose_id_range({{0x6fff0000, 1}}, last) == first); // goes round
    CHECK_FALSE(pod::choose_id_range({{0, 4294967295U}}, 5));
}

// SPDX-License-Identifier: Apache-2.0
#include "stage1/line_prefixer.hh"

#include <algorithm>

#include <doctest/doctest.h>

using rocket::stage1::LinePrefixer;

namespace
{

LinePrefixer web()
{
    LinePrefixer prefixer{"web"};
    prefixer.set_pid(7);
    return prefixer;
}

} // namespace

TEST_CASE("line prefixer: each line by itself, an unfinished one when it is over")
{
    auto prefixer = web();
    CHECK(prefixer.add("one\ntw", 12'000'034) == "[12.000034] web[7]: one\r\n");
    CHECK(prefixer.add("o\n\n", 13'000'000) == "[13.000000] web[7]: two\r\n[13.000000] web[7]: \r\n");
    CHECK(prefixer.add("rest", 0).empty());
    CHECK(prefixer.finish(14'500'000) == "[14.500000] web[7]: rest\r\n");
    CHECK(prefixer.finish(15'000'000).empty());
}

TEST_CASE("line prefixer: CR LF of the app itself is not doubled, and other bytes stay")
{
    auto prefixer = web();
    CHECK(prefixer.add("a\r\nb\rc\n", 0) == "[0.000000] web[7]: a\r\n[0.000000] web[7]: b\rc\r\n");
    CHECK(prefixer.add(std::string_view{"\0\xff\n", 3}, 0) == std::string_view{"[0.000000] web[7]: \0\xff\r\n", 23});
}

TEST_CASE("line prefixer: a line without end does not grow without end")
{
    auto prefixer = web();
    const auto out = prefixer.add(std::string(2 * LinePrefixer::max_line + 1, 'x'), 0);
    CHECK(std::count(out.begin(), out.end(), '\n') == 2);
    CHECK(prefixer.finish(0) == "[0.000000] web[7]: x\r\n");
}

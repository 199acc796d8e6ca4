// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/history.hh"

#include <doctest/doctest.h>

#include <fmt/format.h>

using rocket::stage1::attach::History;

TEST_CASE("attach history: all of a little, the last whole lines of much")
{
    History history;
    CHECK(history.recent().empty());
    history.add("one\n");
    history.add("two");
    CHECK(history.recent() == "one\ntwo");

    std::string all = "one\ntwo";
    for (int i = 0; i < 50'000; ++i) {
        const auto line = fmt::format("line {}\n", i);
        history.add(line);
        all += line;
    }
    const auto recent = history.recent();
    CHECK(recent.size() <= History::capacity);
    CHECK(recent.size() > History::capacity - 32);
    CHECK(all.ends_with(recent));
    CHECK(recent.starts_with("line "));
}

TEST_CASE("attach history: one endless line is cut")
{
    History history;
    history.add(std::string(3 * History::capacity, 'x'));
    CHECK(history.recent() == std::string(History::capacity, 'x'));
}

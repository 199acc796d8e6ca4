// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/words.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::quadlet;
using Words = std::vector<std::string>;

TEST_CASE("words: as systemd takes them apart")
{
    CHECK(split_words("") == Words{});
    CHECK(split_words("  a \t b ") == Words{"a", "b"});
    CHECK(split_words(R"("a b" 'c "d"' e\x20f \"g\" "")") == Words{"a b", "c \"d\"", "e f", "\"g\"", ""});
    CHECK(split_words(R"(it\'s\t\101)") == Words{"it's\tA"});
    CHECK(split_words(R"(A='x y' B=p"q r"s)") == Words{"A=x y", "B=pq rs"}); // as systemd 252 does
    CHECK(split_words("%i $HOME ${X}") == Words{"%i", "$HOME", "${X}"});
}

TEST_CASE("words: refuses what systemd refuses")
{
    for (const char* bad : {"\"open", "'open", "it's", "end\\", "\\q", "\\x4", "\\xzz", "\\x00", "\\08"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(split_words(bad), Error);
    }
}

TEST_CASE("words: what is joined comes apart again")
{
    const Words words{"plain", "a b", "", "\"q\"", "it's", "back\\slash", "line\nbreak\ttab", "%i $X", ";", "--x=é"};
    CHECK(split_words(join_words(words)) == words);
    CHECK(literal("50% of $X") == "50%% of $$X");
}

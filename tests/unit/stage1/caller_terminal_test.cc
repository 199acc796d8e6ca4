// SPDX-License-Identifier: Apache-2.0
#include "stage1/caller_terminal.hh"

#include <doctest/doctest.h>

using rocket::stage1::EscapeSequence;

TEST_CASE("escape sequence: three in a second")
{
    EscapeSequence keys;
    CHECK_FALSE(keys.typed("\x1d", 0));
    CHECK_FALSE(keys.typed("\x1d", 500'000));
    CHECK(keys.typed("\x1d", 1'000'000));
    CHECK(EscapeSequence{}.typed("ls\n\x1d\x1d\x1d", 0));
}

TEST_CASE("escape sequence: neither too slow nor with other keys in between")
{
    EscapeSequence slow;
    for (int count = 0; count < 5; ++count)
        CHECK_FALSE(slow.typed("\x1d", count * 600'000));
    EscapeSequence mixed;
    CHECK_FALSE(mixed.typed("\x1d\x1dx\x1d\x1d", 0));
}

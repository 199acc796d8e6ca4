// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/progress.hh"

#include <doctest/doctest.h>

using namespace rocket::cli;

TEST_CASE("cli 1.3: a line of progress")
{
    CHECK(progress_line("Downloading ACI", 512, 1024, 256) ==
          "Downloading ACI: [====================                    ] 512B/1.0KiB, 256B/s, 3s left");
    CHECK(progress_line("Downloading ACI", 1024, std::nullopt, 0) ==
          "Downloading ACI: 1.0KiB of an unknown total size");
    CHECK(progress_line("Unpacking", 2048, 1024, 0) ==
          "Unpacking: [========================================] 2.0KiB/1.0KiB");
}

TEST_CASE("cli 1.3: a line of progress is not longer than the terminal is wide")
{
    for (std::size_t width = 1; width < 100; ++width)
        CHECK(progress_line("Downloading layer 0123456789ab", 512, 1024, 256, width).size() <= width);
    CHECK(progress_line("Unpacking", 512, 1024, 256, 50) == "Unpacking: [====    ] 512B/1.0KiB, 256B/s, 3s left");
    CHECK(progress_line("Unpacking", 512, 1024, 256, 45) == "Unpacking: 512B/1.0KiB, 256B/s, 3s left");
}

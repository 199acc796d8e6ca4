// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_notify.hh"

#include <doctest/doctest.h>

using namespace rocket::stage1;

TEST_CASE("what an app says: the fields that are handed on")
{
    const auto news =
        parse_news("READY=1\nSTATUS=serving 3\nRELOADING=1\nMONOTONIC_USEC=77\nSTOPPING=1\nERRNO=5\nWATCHDOG=1\n");
    CHECK(news == AppNews{.ready = true,
                          .reloading = true,
                          .stopping = true,
                          .watchdog = AppNews::Watchdog::alive,
                          .status = "serving 3",
                          .monotonic_usec = 77,
                          .error = 5});
    CHECK(parse_news("WATCHDOG=trigger").watchdog == AppNews::Watchdog::trigger);
}

TEST_CASE("what an app says: nothing that could turn the host's unit, or its watchdog, to other ends")
{
    for (const char* message :
         {"MAINPID=1", "FDSTORE=1\nFDNAME=x", "WATCHDOG_USEC=1", "EXTEND_TIMEOUT_USEC=9", "BARRIER=1",
          "NOTIFYACCESS=all", "BUSERROR=x", "X_MINE=1", "READY=0", "READY", "READY=1 ", " READY=1", "ERRNO=-1",
          "ERRNO=4096", "MONOTONIC_USEC=x", "WATCHDOG=0", "", "\n\n", "=1"}) {
        CAPTURE(std::string{message});
        CHECK(parse_news(message) == AppNews{});
    }
    CHECK(parse_news(std::string_view{"READY=1\nSTATUS=a\0b", 18}) == AppNews{});
}

TEST_CASE("what an app says: its status is one printable line of bounded length")
{
    CHECK(parse_news("STATUS=a\rREADY=1\x1b[2J\xff").status == R"(a\rREADY=1\x1b[2J\xff)");
    CHECK_FALSE(parse_news("STATUS=a\rREADY=1").ready);
    std::string text = "STATUS=" + std::string(255, 'x') + "\xc3\xa4yyyy"; // the cut would be in the middle of it
    CHECK(parse_news(text).status == std::string(255, 'x'));
}

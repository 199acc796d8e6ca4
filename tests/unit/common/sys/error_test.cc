// SPDX-License-Identifier: Apache-2.0
#include "common/sys/error.hh"

#include <cerrno>

#include <doctest/doctest.h>

using rocket::Error;

TEST_CASE("error: context is put in front, the innermost cause stays last")
{
    Error error{Error::Kind::system, "no space left on device"};
    error.add_context("error preparing stage1").add_context("error setting up stage0");
    CHECK(error.what() == std::string{"error setting up stage0: error preparing stage1: no space left on device"});
    CHECK(error.innermost() == "no space left on device");
    CHECK(error.causes().size() == 3);
}

TEST_CASE("error: survives the way through a pipe")
{
    Error error{Error::Kind::corrupt, "inner", "try that"};
    error.add_context("outer");
    const auto copy = Error::deserialize(error.serialize());
    CHECK(copy.kind() == Error::Kind::corrupt);
    CHECK(copy.hint() == "try that");
    CHECK(copy.causes() == error.causes());
}

TEST_CASE("error: what a broken child wrote is not believed")
{
    for (const std::string bad : {"", "x", "zz", "a\0", "ahint"}) {
        CAPTURE(bad);
        CHECK(Error::deserialize(bad).kind() == Error::Kind::system);
    }
}

TEST_CASE("error: ENOENT is 'not found', so that callers can branch on it")
{
    CHECK(rocket::system_error(ENOENT, "opening x").kind() == Error::Kind::not_found);
    CHECK(rocket::system_error(EIO, "opening x").kind() == Error::Kind::system);
}

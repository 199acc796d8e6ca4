// SPDX-License-Identifier: Apache-2.0
// For the tests of the model: files of tests/data/model, JSON in the middle of a test, and the text of an error.
#pragma once

#include <doctest/doctest.h>

#include <fcntl.h>

#include <string>
#include <string_view>

#include "common/model/json_object.hh"
#include "common/sys/error.hh"
#include "common/sys/file.hh"

namespace rocket::model
{

inline std::string data_file(const std::string& name)
{
    return file::read(AT_FDCWD, std::string{ROCKET_TEST_DATA_DIR} + "/model/" + name);
}

// Whether `act` throws an Error that says `words` and has that kind; the text it had instead is shown.
template <typename Act>
void check_refused(Act&& act, std::string_view words, Error::Kind kind = Error::Kind::corrupt)
{
    std::string text = "no error";
    try {
        act();
    } catch (const Error& error) {
        text = error.what();
        CHECK(error.kind() == kind);
    }
    CAPTURE(text);
    CHECK(text.find(words) != std::string::npos);
}

// Reads `text` as a `Type`, at the place "x".
template <typename Type>
Type read_as(std::string_view text)
{
    const auto value = json::parse(text, "test");
    return Type::from({value, "x"});
}

inline std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
// %XX in URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rocket::image
{

// nullopt if a % does not stand before two hexadecimal digits, or they are 00.
std::optional<std::string> unescaped(std::string_view text);

} // namespace rocket::image

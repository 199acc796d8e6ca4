// SPDX-License-Identifier: Apache-2.0
// Lengths of time as people write them: "5", "5s", "100ms", "1m30s", "2min", "1h".
#pragma once

#include <cstdint>
#include <string_view>

namespace rocket::model
{

// In microseconds; a number alone is seconds. Kind::usage for anything else, and for more than a year.
std::uint64_t parse_time_span(std::string_view text);

} // namespace rocket::model

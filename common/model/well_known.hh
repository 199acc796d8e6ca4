// SPDX-License-Identifier: Apache-2.0
// The formats that values of well-known annotations have (TYP-22..24, TYP-28).
#pragma once

#include <string_view>

namespace rocket::model
{

bool is_date(std::string_view text) noexcept;    // RFC 3339 date-time, strictly
bool is_web_url(std::string_view text) noexcept; // http or https, with a host

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
// How the command line writes durations, times and sizes (cli 1.1, 6.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rocket::cli
{

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

// Go syntax: "1h30m", "1.5h", "-2ms", "0". Throws Error{usage}.
std::chrono::nanoseconds parse_duration(std::string_view raw);
std::string format_duration(std::chrono::nanoseconds value); // "30m0s", as Go prints it

std::string relative_time(Time then, Time now); // "2 hours ago", "3 days from now"
std::string long_time(Time then);               // local zone: 2016-05-18 10:07:35.31 +0200 CEST
std::string binary_size(std::uint64_t bytes);   // 9B, 5.2MiB, 143MiB

Time now();

} // namespace rocket::cli

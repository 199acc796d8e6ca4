// SPDX-License-Identifier: Apache-2.0
// How much one archive may ask for (R16). The broker holds the numbers, which configuration can change, and hands
// them to the workers as words NAME=NUMBER; each limit has its own error, which names it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::unpack
{

struct Limits {
    std::uint64_t members = 1'000'000;
    std::uint64_t unpacked_bytes = std::uint64_t{64} << 30; // of the tar, and of the files in it
    std::uint64_t ratio = 200;                              // uncompressed to compressed, beyond ratio_free_bytes
    std::uint64_t ratio_free_bytes = std::uint64_t{64} << 20;
    std::uint64_t depth = 256;
    std::uint64_t name_bytes = 255;
    std::uint64_t path_bytes = 4096;
    std::uint64_t link_bytes = 4096;
    std::uint64_t pax_bytes = std::uint64_t{1} << 20;
    std::uint64_t xattr_bytes = std::uint64_t{64} << 10; // of one file
    std::uint64_t manifest_bytes = std::uint64_t{4} << 20;
    std::uint64_t memory_bytes = std::uint64_t{512} << 20; // of a worker
    std::uint64_t cpu_seconds = 600;                       // of a worker
    bool operator==(const Limits&) const = default;
};

struct LimitName {
    std::string_view name;
    std::uint64_t Limits::*value;
};

inline constexpr std::array limit_names{
    LimitName{"members", &Limits::members},
    LimitName{"unpacked-bytes", &Limits::unpacked_bytes},
    LimitName{"ratio", &Limits::ratio},
    LimitName{"ratio-free-bytes", &Limits::ratio_free_bytes},
    LimitName{"depth", &Limits::depth},
    LimitName{"name-bytes", &Limits::name_bytes},
    LimitName{"path-bytes", &Limits::path_bytes},
    LimitName{"link-bytes", &Limits::link_bytes},
    LimitName{"pax-bytes", &Limits::pax_bytes},
    LimitName{"xattr-bytes", &Limits::xattr_bytes},
    LimitName{"manifest-bytes", &Limits::manifest_bytes},
    LimitName{"memory-bytes", &Limits::memory_bytes},
    LimitName{"cpu-seconds", &Limits::cpu_seconds},
};

std::vector<std::string> words_of(const Limits& limits);
void set_limit(Limits& limits, std::string_view word); // NAME=NUMBER; Kind::usage

} // namespace rocket::unpack

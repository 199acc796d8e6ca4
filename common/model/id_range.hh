// SPDX-License-Identifier: Apache-2.0
// The user and group ids of the host that a pod with a user namespace of its own has for itself: id N of the pod is
// `first` + N of the host, for both kinds. Written as FIRST:COUNT, in the pod directory and on stage1's command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rocket::model
{

struct IdRange {
    std::uint32_t first = 0;
    std::uint32_t count = 0;

    static IdRange parse(std::string_view text); // Kind::usage; neither empty nor beyond 4294967294
    std::string str() const;
    // Exclusive end; fits, as parse() has checked.
    std::uint64_t end() const noexcept { return std::uint64_t{first} + count; }
    bool overlaps(const IdRange& other) const noexcept { return first < other.end() && other.first < end(); }
    bool operator==(const IdRange&) const = default;
};

} // namespace rocket::model

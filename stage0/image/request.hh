// SPDX-License-Identifier: Apache-2.0
// What a user wants of an image: which one, how fresh, and where its signature is (cli 4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rocket::image
{

enum class PullPolicy { fresh, update, never };      // "new", "update", "never"
PullPolicy parse_pull_policy(std::string_view text); // Kind::usage for anything else (Q6)

struct Request {
    std::string image;     // as the user wrote it
    std::string signature; // path (or URL) of a detached signature; empty: next to the image
    PullPolicy policy = PullPolicy::fresh;
    std::uint64_t largest = 0; // bytes of the image as it is transferred (DEP-9); 0: any
    std::string platform = {}; // OS/ARCH[/VARIANT] of a Docker or OCI image, valid; empty: the host's
};

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
// Which entry of an image index is for this host (OIDX-4..9). Pure.
#pragma once

#include "stage0/oci/documents.hh"

namespace rocket::oci
{

Platform normalized(Platform platform);

// What the host runs, the best first: variants downwards, and the plain architecture where that means one of them.
std::vector<Platform> wanted_platforms(const Platform& host);
bool is_among_wanted(const Platform& platform, const Platform& host);
// OS/ARCH[/VARIANT], as users write it; normalized. Errors: Kind::usage.
Platform parse_platform(std::string_view text);
Platform host_platform(); // normalized; amd64's variant by the processor

// The entries that may be an image of that platform, the best first; those that do not say what they are for are last.
// Throws Kind::not_found with the platforms there are, if there is none.
std::vector<Descriptor> select(const Index& index, const Platform& host);

} // namespace rocket::oci

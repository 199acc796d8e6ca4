// SPDX-License-Identifier: Apache-2.0
// WWW-Authenticate headers (OAUTH-1). Pure; what is malformed is left out, nothing throws.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::oci
{

struct Challenge {
    std::string scheme;                            // lower case
    std::map<std::string, std::string> parameters; // names in lower case
    bool operator==(const Challenge&) const = default;
};

// One header may hold several.
std::vector<Challenge> parse_challenges(std::string_view header);

} // namespace rocket::oci

// SPDX-License-Identifier: Apache-2.0
// WWW-Authenticate headers, and the login files of users. The first byte chooses.
#include "stage0/oci/challenge.hh"
#include "stage0/oci/login.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using namespace rocket;
    if (text.empty())
        return;
    const auto rest = text.substr(1);
    if (text.front() == 'h') {
        for (const auto& challenge : oci::parse_challenges(rest))
            fuzz::promise(!challenge.scheme.empty());
        return;
    }
    const auto login = oci::login_in(rest, "docker.io");
    fuzz::promise(!login || login->password || login->identity_token);
    if (login && login->password)
        fuzz::promise(oci::basic_authorization(*login->password).starts_with("Basic "));
})

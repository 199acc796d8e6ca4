// SPDX-License-Identifier: Apache-2.0
// URLs, and what a Location means at one: text up to the first line break is the base. A URL is what it says it is.
#include "stage0/fetch/url.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using rocket::fetch::Url;
    const auto line = text.find('\n');
    const auto base = Url::parse(text.substr(0, line));
    rocket::fuzz::promise(Url::parse(base.str()) == base);
    if (line == text.npos)
        return;
    const auto other = base.resolve(text.substr(line + 1));
    rocket::fuzz::promise(Url::parse(other.str()) == other);
})

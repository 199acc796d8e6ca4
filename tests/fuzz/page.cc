// SPDX-License-Identifier: Apache-2.0
// A page that discovery looks at: any text is one (appc 15.3).
#include "stage0/fetch/meta_tags.hh"
#include "target.hh"

ROCKET_FUZZ([](std::string_view html) {
    for (const auto& tag : rocket::fetch::ac_tags(html))
        rocket::fuzz::promise(tag.name.starts_with("ac-"));
})

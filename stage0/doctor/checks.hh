// SPDX-License-Identifier: Apache-2.0
// What Rocket needs of a host, looked at one by one: what is there, what pods run without, and what keeps them from
// running; each with the next step. Nothing is changed. A check that cannot be made says so, as a finding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rocket::doctor
{

enum class State {
    fine,
    lacking, // pods run without something
    broken,  // pods do not run, or images cannot be fetched
};
std::string_view name_of(State state) noexcept;

struct Finding {
    State state = State::fine;
    std::string text;        // what was found
    std::string advice = {}; // what to do; empty: nothing
};

// Where this host has, or would have, what Rocket keeps.
struct Places {
    std::string data; // the data directory, which may not be there yet
    std::string system_config, local_config;
};

struct Check {
    std::string_view name; // "overlay"
    std::string_view about;
    Finding (*look)(const Places& places);
};

// In the order in which a user would mend what they find.
const std::vector<Check>& checks();
Finding look(const Check& check, const Places& places); // never throws

} // namespace rocket::doctor

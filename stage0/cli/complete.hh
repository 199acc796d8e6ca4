// SPDX-License-Identifier: Apache-2.0
// What the word under the cursor may become, told from the command table: commands, flags, values of flags, and names
// of pods, images and networks. The scripts that `rocket completion SHELL` prints ask for it at every TAB, so that
// nothing that is installed can fall behind (cli 8.21).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/cli/command.hh"

namespace rocket::cli
{

struct Candidate {
    std::string word;        // a whole word, as "--format=json"; one that ends in "=" goes on
    std::string description; // may be empty
    bool operator==(const Candidate&) const = default;
};
using Candidates = std::vector<Candidate>;

// What only the host knows. `states` are names of pod states, empty: all.
struct HostValues {
    std::function<Candidates(const std::vector<std::string_view>& states)> pods;
    std::function<Candidates()> images;
    std::function<Candidates()> networks;
};

// `words`: the command line without the program's name, up to the cursor; the last is the one to be completed and may
// be empty. Global flags among them are set through `global`, before `host` is asked. Nothing is thrown for a command
// line that is wrong: it has no candidates, and neither has a file name, which is the shell's business.
Candidates complete(CommandTable table, const FlagSet& global, const Words& words, const HostValues& host);

} // namespace rocket::cli

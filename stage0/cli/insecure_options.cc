// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/insecure_options.hh"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::cli
{

namespace
{

using Fields = std::vector<bool InsecureOptions::*>;
using I = InsecureOptions;

struct Option {
    std::string_view name;
    Fields switches_on;
};

const std::array<Option, 12>& options()
{
    static const std::array<Option, 12> table{
        {{"none", {}},
         {"image", {&I::image}},
         {"tls", {&I::tls}},
         {"http", {&I::http}},
         {"pubkey", {&I::pubkey}},
         {"capabilities", {&I::capabilities}},
         {"paths", {&I::paths}},
         {"seccomp", {&I::seccomp}},
         {"ondisk", {}}, // legacy: accepted, nothing is checked on disk at run time
         {"all-fetch", {&I::image, &I::tls, &I::http, &I::pubkey}},
         {"all-run", {&I::capabilities, &I::paths, &I::seccomp}},
         {"all", {&I::image, &I::tls, &I::http, &I::pubkey, &I::capabilities, &I::paths, &I::seccomp}}}};
    return table;
}

std::string lower(std::string word)
{
    std::ranges::transform(word, word.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return word;
}

} // namespace

InsecureOptions InsecureOptions::parse(std::string_view list)
{
    InsecureOptions result;
    std::set<std::string> seen;
    for (const auto& raw : list.empty() ? std::vector<std::string>{"none"} : text::split(list, ',')) {
        const auto name = lower(raw);
        const auto found = std::ranges::find(options(), name, &Option::name);
        if (found == options().end())
            fail(Error::Kind::usage, "unknown option {}", text::quoted(raw));
        if (!seen.insert(name).second)
            fail(Error::Kind::usage, "duplicated option {}", text::quoted(raw));
        for (const auto field : found->switches_on)
            result.*field = true;
    }
    return result;
}

std::string InsecureOptions::names() const
{
    std::string list;
    for (const auto& option : options())
        if (option.switches_on.size() == 1 && this->*option.switches_on.front())
            list += (list.empty() ? "" : ",") + std::string{option.name};
    return list.empty() ? "none" : list;
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
// What files become, for tests.
#pragma once

#include <doctest/doctest.h>

#include <map>

#include "stage0/quadlet/translate.hh"

namespace rocket::quadlet
{

struct Result {
    std::map<std::string, Unit> units;
    std::vector<Problem> problems;

    // The lines of a unit that begin with KEY=, without it.
    std::vector<std::string> values(const std::string& unit, const std::string& key) const
    {
        std::vector<std::string> found;
        const auto& text = units.at(unit).text;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            const auto line = text.substr(at, end - at);
            if (line.starts_with(key + "="))
                found.push_back(line.substr(key.size() + 1));
            at = end + 1;
        }
        return found;
    }
    std::string start(const std::string& unit) const { return values(unit, "ExecStart").at(0); }
};

inline Result translated(std::initializer_list<std::pair<std::string, std::string>> texts)
{
    std::vector<UnitFile> files;
    for (const auto& [name, text] : texts) {
        files.push_back({.name = name, .path = "/e/" + name});
        files.back().add(text, files.back().path);
    }
    auto made = translate(files, "/bin/rocket");
    Result result{.units = {}, .problems = std::move(made.problems)};
    for (auto& unit : made.units)
        result.units.emplace(unit.name, unit);
    return result;
}

inline std::string problem_of(const std::string& container)
{
    const auto result = translated({{"a.container", "[Container]\nImage=i\n" + container}});
    return result.problems.empty() ? "" : result.problems.front().text;
}

inline std::string flags_of(const std::string& container)
{
    const auto result = translated({{"a.container", "[Container]\nImage=/i.aci\n" + container}});
    for (const auto& problem : result.problems)
        FAIL(problem.text);
    const auto start = result.start("a.service");
    const std::string head = "/bin/rocket run --uuid-file-save=%t/rocket-%N.uuid --pull-policy=new ";
    CHECK(start.starts_with(head));
    return start.substr(head.size());
}

} // namespace rocket::quadlet

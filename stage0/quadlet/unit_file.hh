// SPDX-License-Identifier: Apache-2.0
// A file in the syntax of systemd's unit files (systemd.syntax(7)), with the place of every line, so that whatever is
// wrong with it can be named. Errors: Kind::corrupt, "FILE:LINE: ...".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rocket::quadlet
{

struct Entry {
    std::string key;
    std::string value; // without the blanks around it; continued lines are joined by one blank
    std::string place; // "FILE:LINE"
};

struct Section {
    std::string name;
    std::vector<Entry> entries;

    // Those that count, in order: an empty value takes back what its key was given before (systemd.syntax(7)).
    std::vector<Entry> in_force() const;
};

struct UnitFile {
    std::string name; // "web.container"
    std::string path;
    std::vector<Section> sections = {}; // each name once, in the order they were first seen
    std::string problem = {};           // why it could not be read

    const Section* find(std::string_view section) const noexcept;
    // The last value of a key, which is the one that counts; a null pointer if there is none.
    const Entry* last(std::string_view section, std::string_view key) const noexcept;
    void add(std::string_view text, const std::string& file); // what a file, or a drop-in, says

private:
    Section& section(std::string_view section_name);
};

} // namespace rocket::quadlet

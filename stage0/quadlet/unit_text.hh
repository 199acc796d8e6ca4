// SPDX-License-Identifier: Apache-2.0
// What the translation writes: the text of a unit, the names of units that a file stands for, and what [Install] of the
// file wants to be linked. Pure. Errors: Kind::usage, "FILE:LINE: ...".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stage0/quadlet/unit_file.hh"

namespace rocket::quadlet
{

// "web@.container": stem "web", a template, of the kind "container".
struct FileName {
    std::string stem;
    bool is_template = false;
    std::string kind;

    explicit FileName(const std::string& name);
    std::string service(std::string_view suffix = "") const;
    std::string service_of_instance(std::string_view suffix) const; // as another unit of the same instance names it
};

class UnitText
{
public:
    void section(std::string_view name);
    void line(std::string_view key, std::string_view value);
    void line(std::string_view whole);
    // What a file says in a section that is systemd's own business.
    void copy(const UnitFile& file, std::string_view name);
    // A default, unless the file says something else.
    void setting(const UnitFile& file, std::string_view key, std::string_view value);
    std::string take(const std::string& path); // `path`: of the file it was made from

private:
    std::string text_;
};

// [Install] of a generated unit is not read by systemctl enable: the generator makes the links itself.
std::vector<std::string> links_of(const UnitFile& file, const std::string& service);

} // namespace rocket::quadlet

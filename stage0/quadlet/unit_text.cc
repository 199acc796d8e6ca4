// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/unit_text.hh"

#include <algorithm>
#include <cstring>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

FileName::FileName(const std::string& name)
{
    const auto dot = name.rfind('.');
    kind = name.substr(dot + 1);
    stem = name.substr(0, dot);
    is_template = stem.ends_with('@');
    if (is_template)
        stem.pop_back();
}

std::string FileName::service(std::string_view suffix) const
{
    return fmt::format("{}{}{}.service", stem, suffix, is_template ? "@" : "");
}

std::string FileName::service_of_instance(std::string_view suffix) const
{
    return fmt::format("{}{}{}.service", stem, suffix, is_template ? "@%i" : "");
}

void UnitText::section(std::string_view name)
{
    text_ += fmt::format("{}[{}]\n", text_.empty() ? "" : "\n", name);
}

void UnitText::line(std::string_view key, std::string_view value)
{
    text_ += fmt::format("{}={}\n", key, value);
}

void UnitText::line(std::string_view whole)
{
    text_ += fmt::format("{}\n", whole);
}

void UnitText::copy(const UnitFile& file, std::string_view name)
{
    if (const auto* found = file.find(name))
        for (const auto& entry : found->entries)
            line(entry.key, entry.value);
}

void UnitText::setting(const UnitFile& file, std::string_view key, std::string_view value)
{
    if (file.last("Service", key) == nullptr)
        line(key, value);
}

std::string UnitText::take(const std::string& path)
{
    return fmt::format("# Made by rocket-generator from {}\n\n{}", path, std::move(text_));
}

namespace
{

void check_instance(const Entry& entry, bool is_template)
{
    if (!is_template)
        refuse(entry, "only templates have instances");
    const auto is_allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 || std::strchr(":-_.\\@", c) != nullptr;
    };
    if (!std::ranges::all_of(entry.value, is_allowed))
        refuse(entry, fmt::format("{} is not the name of an instance", text::quoted(entry.value)));
}

// "web@.service" -> "web@blue.service"
std::string of_instance(const std::string& service, const std::string& instance)
{
    const auto place = service.find("@.") + 1;
    return service.substr(0, place) + instance + service.substr(place);
}

} // namespace

std::vector<std::string> links_of(const UnitFile& file, const std::string& service)
{
    constexpr std::pair<std::string_view, std::string_view> directories[] = {
        {"WantedBy", "wants"}, {"RequiredBy", "requires"}, {"UpheldBy", "upholds"}};
    std::vector<std::string> links;
    const auto* install = file.find("Install");
    if (install == nullptr)
        return links;
    const auto* const instance = file.last("Install", "DefaultInstance");
    const bool is_template = service.find("@.") != std::string::npos;
    const bool is_instance = !is_template && service.find('@') != std::string::npos; // by a link to the template, say
    for (const auto& entry : install->entries) {
        if (entry.key == "DefaultInstance") {
            check_instance(entry, is_template || is_instance);
            continue;
        }
        const auto* kind = std::ranges::find(directories, std::string_view{entry.key},
                                             &std::pair<std::string_view, std::string_view>::first);
        if (kind == std::end(directories) && entry.key != "Alias")
            refuse(entry,
                   "only WantedBy=, RequiredBy=, UpheldBy=, Alias= and DefaultInstance= are supported in [Install]");
        for (const auto& name : split_words(entry.value)) {
            if (name.find('/') != std::string::npos || name.find('%') != std::string::npos)
                refuse(entry, fmt::format("{} is not the name of a unit", text::quoted(name)));
            if (entry.key == "Alias")
                links.push_back(name);
            else if (!is_template)
                links.push_back(fmt::format("{}.{}/{}", name, kind->second, service));
            else if (instance != nullptr && !instance->value.empty()) // else it is for the files of its instances
                links.push_back(fmt::format("{}.{}/{}", name, kind->second, of_instance(service, instance->value)));
        }
    }
    return links;
}

} // namespace rocket::quadlet

// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/container.hh"

#include <algorithm>

#include "common/model/ac_name.hh"
#include "common/model/health_check.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/key_table.hh"

namespace rocket::quadlet
{

namespace
{

bool apply(std::span<const Key> table, Reading& reading, const Entry& entry)
{
    const auto key = std::ranges::find(table, std::string_view{entry.key}, &Key::name);
    if (key == table.end())
        return false;
    if (entry.value.empty())
        return true; // nothing is given, and what was is not in force
    if (key->of_pod)
        reading.app.of_pod.push_back(entry);
    try {
        key->apply(reading, entry);
    } catch (const Error& error) {
        if (error.innermost().starts_with(entry.place))
            throw;
        refuse(entry, error.innermost()); // of split_words()
    }
    return true;
}

void read_section(const Section& section, std::span<const Key> own_keys, Reading& reading)
{
    for (const auto& entry : section.in_force()) {
        if (apply(own_keys, reading, entry) || apply(keys_of_both(), reading, entry))
            continue;
        refuse_key(entry, section.name);
    }
    for (const auto& entry : reading.networks)
        if (const auto name = entry.value.substr(0, entry.value.find(':')); name.ends_with(".network"))
            reading.app.references.push_back({name, entry.place});
    if (auto flag = network_flag(reading.networks, reading.ip ? &*reading.ip : nullptr); !flag.empty())
        reading.app.pod_flags.push_back(std::move(flag));
    if (!reading.added_capabilities.empty() || !reading.dropped_capabilities.empty())
        reading.app.flags.push_back(
            capability_flag(reading.added_capabilities, reading.dropped_capabilities, reading.capability_entry));
    if (reading.is_checked && !reading.has_check) // by the image's own
        reading.flag("health-cmd", model::health_of_image);
    auto& flags = reading.app.flags;
    flags.insert(flags.begin(), reading.environment_files.begin(), reading.environment_files.end());
    if (!reading.groups.empty())
        reading.flag("supplementary-gids", fmt::format("{}", fmt::join(reading.groups, ",")));
}

std::vector<std::string_view> names_of(std::span<const Key> own_keys)
{
    std::vector<std::string_view> names;
    for (const auto keys : {own_keys, keys_of_both()})
        for (const auto& key : keys)
            names.push_back(key.name);
    std::ranges::sort(names);
    return names;
}

std::string name_from_file(const std::string& file)
{
    return model::AppName::sanitized(file.substr(0, file.rfind('.'))).str();
}

} // namespace

std::vector<std::string_view> container_keys()
{
    return names_of(keys_of_container());
}

std::vector<std::string_view> pod_keys()
{
    return names_of(keys_of_pod());
}

void refuse(const Entry& entry, std::string_view why)
{
    fail(Error::Kind::usage, "{}: {}={}: {}", entry.place, entry.key, text::printable(entry.value), why);
}

bool bool_value(const Entry& entry)
{
    for (const std::string_view yes : {"1", "yes", "y", "true", "t", "on"})
        if (entry.value == yes)
            return true;
    for (const std::string_view no : {"0", "no", "n", "false", "f", "off"})
        if (entry.value == no)
            return false;
    refuse(entry, "say yes or no");
}

bool has_default_dependencies(const UnitFile& file)
{
    const auto* const entry = file.last("Quadlet", "DefaultDependencies");
    return entry == nullptr || entry->value.empty() || bool_value(*entry);
}

App read_container(const UnitFile& file)
{
    Reading reading;
    reading.app.name = name_from_file(file.name);
    if (const auto* name = file.last("Container", "ContainerName"); name != nullptr && !name->value.empty())
        set_name(reading, *name);
    reading.volume_prefix = reading.app.name;
    const auto* section = file.find("Container");
    if (section == nullptr)
        fail(Error::Kind::usage, "{}: there is no section [Container]", file.path);
    read_section(*section, keys_of_container(), reading);
    if (reading.app.image.empty())
        fail(Error::Kind::usage, "{}: [Container] has no Image=", file.path);
    reading.flag("name", reading.app.name);
    reading.app.waits_for_network = has_default_dependencies(file);
    if (const auto* socket = file.find("Socket"))
        reading.app.forwarding = read_forwarding(reading.app.socket = socket->entries);
    return std::move(reading.app);
}

PodOptions read_pod(const UnitFile& file)
{
    Reading reading{.volume_prefix = "pod", .mounts_for_all = true};
    const auto* section = file.find("Pod");
    if (section == nullptr)
        fail(Error::Kind::usage, "{}: there is no section [Pod]", file.path);
    read_section(*section, keys_of_pod(), reading);
    auto& read = reading.app;
    return {std::move(read.pod_flags), std::move(read.global_flags), std::move(read.service_lines),
            std::move(read.references), std::move(read.service_name)};
}

} // namespace rocket::quadlet

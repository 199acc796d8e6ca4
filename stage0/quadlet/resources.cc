// SPDX-License-Identifier: Apache-2.0
// What pods use and does not run: images to be fetched, volumes, networks.
#include "common/model/network_places.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/network.hh"
#include "stage0/quadlet/translator.hh"
#include "stage0/quadlet/values.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

// For StandardInputText=, where backslashes and specifiers mean something (systemd.exec(5)).
std::string escaped_text(std::string_view text)
{
    std::string escaped;
    for (const char c : text)
        escaped += c == '\\' || c == '%' ? std::string(2, c) : std::string(1, c);
    return escaped;
}

} // namespace

void Translator::fetching(const Fetch& fetch)
{
    const auto* const file = fetch.file;
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Image {}", fetch.image));
    text.line("SourcePath", fetch.path);
    if (fetch.waits_for_network) {
        text.line("Wants", "network-online.target");
        text.line("After", "network-online.target");
    }
    if (file != nullptr)
        copy_unit_section(text, *file);
    text.section("Service");
    text.line("Type", "oneshot");
    // Of the pod that the unit is for.
    const bool at_each_start = fetch.pull == Pull::always || fetch.pull == Pull::newer;
    if (file != nullptr || !at_each_start)
        text.line("RemainAfterExit", "yes");
    text.line("TimeoutStartSec", "infinity"); // a download takes as long as it takes; it has limits of its own
    text.line("SyslogIdentifier", "%N");
    if (file != nullptr)
        text.copy(*file, "Service");
    const auto command = [&](Pull by) {
        std::vector<std::string> words{rocket_};
        words.insert(words.end(), fetch.global_flags.begin(), fetch.global_flags.end());
        words.insert(words.end(), {"fetch", fmt::format("--pull-policy={}", fetch_policy(by))});
        words.insert(words.end(), fetch.retries.begin(), fetch.retries.end());
        words.push_back(fetch.image);
        return join_words(words);
    };
    text.line("ExecStart", (fetch.pull == Pull::newer ? "-" : "") + command(fetch.pull));
    if (fetch.pull == Pull::newer) // what is in the store will do
        text.line("ExecStart", command(Pull::never));
    add({fetch.unit, fetch.path, text.take(fetch.path), false,
         file != nullptr ? links_of(*file, fetch.unit) : std::vector<std::string>{}},
        fetch.path);
}

void Translator::image(const UnitFile& file)
{
    check_sections(file, "Image");
    Fetch fetch{.unit = unit_of(file),
                .path = file.path,
                .image = {},
                .file = &file,
                .waits_for_network = has_default_dependencies(file)};
    const auto* section = file.find("Image");
    for (const auto& entry : section != nullptr ? section->in_force() : std::vector<Entry>{}) {
        if (entry.key == "Image")
            fetch.image = image_reference(entry.value);
        else if (entry.key == "Policy" || entry.key == "Pull")
            fetch.pull = pull_policy(entry);
        else if (entry.key == "GlobalArgs")
            for (auto& word : split_words(entry.value))
                fetch.global_flags.push_back(std::move(word));
        else if (entry.key == "TLSVerify" && !bool_value(entry))
            fetch.global_flags.emplace_back("--insecure-options=tls");
        else if (entry.key == "Retry" || entry.key == "RetryDelay")
            fetch.retries.push_back(retry_flag(entry));
        else if (entry.key != "TLSVerify" && entry.key != "ServiceName")
            refuse_key(entry, "Image");
    }
    if (fetch.image.empty())
        fail(Error::Kind::usage, "{}: [Image] has no Image=", file.path);
    fetching(fetch);
}

// A directory of the host that outlives the pods that use it.
void Translator::volume(const UnitFile& file)
{
    check_sections(file, "Volume");
    const FileName name{file.name};
    std::string owner = "root", group = "root";
    const auto directory = volume_directory(file.name, file.last("Volume", "VolumeName"));
    const auto* section = file.find("Volume");
    for (const auto& entry : section != nullptr ? section->in_force() : std::vector<Entry>{}) {
        if (entry.key == "User")
            owner = entry.value;
        else if (entry.key == "Group")
            group = entry.value;
        else if (entry.key != "VolumeName" && entry.key != "ServiceName")
            refuse_key(entry, "Volume");
    }
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Volume {}", name.stem));
    text.line("SourcePath", file.path);
    text.line("RequiresMountsFor", directory);
    copy_unit_section(text, file);
    text.section("Service");
    text.line("Type", "oneshot");
    text.line("RemainAfterExit", "yes");
    text.copy(file, "Service");
    text.line("ExecStart", join_words({"/usr/bin/install", "-d", "-o", owner, "-g", group, "-m", "0755", directory}));
    const auto unit = unit_of(file);
    add({unit, file.path, text.take(file.path), false, links_of(file, unit)}, file.path);
}

// Its configuration is there as long as the unit is active; `rocket run` reads the directory whenever it starts a pod,
// and so must never find half a file.
void Translator::network(const UnitFile& file)
{
    check_sections(file, "Network");
    const FileName name{file.name};
    if (name.is_template)
        fail(Error::Kind::usage, "{}: networks have no instances", file.path);
    const auto path = fmt::format("{}/{}", model::made_networks, network_name(file));
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Network {}", network_name(file)));
    text.line("SourcePath", file.path);
    copy_unit_section(text, file);
    text.section("Service");
    text.line("Type", "oneshot");
    text.line("RemainAfterExit", "yes");
    text.copy(file, "Service");
    text.line("StandardInput", "data");
    text.line("StandardInputText", escaped_text(network_configuration(file, files_)));
    text.line("ExecStart", join_words({"/usr/bin/install", "-D", "-m", "0644", "/dev/stdin", path + ".new"}));
    text.line("ExecStart", join_words({"/usr/bin/mv", "-T", path + ".new", path + ".conflist"}));
    text.line("ExecStop", join_words({"/usr/bin/rm", "-f", path + ".conflist"}));
    const auto unit = unit_of(file);
    add({unit, file.path, text.take(file.path), false, links_of(file, unit)}, file.path);
}

} // namespace rocket::quadlet

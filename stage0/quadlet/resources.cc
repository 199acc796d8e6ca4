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

void Translator::fetching(const std::string& unit, const std::string& path, const std::string& image, Pull pull,
                          const std::vector<std::string>& global_flags, const UnitFile* file)
{
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Image {}", image));
    text.line("SourcePath", path);
    text.line("Wants", "network-online.target");
    text.line("After", "network-online.target");
    if (file != nullptr)
        text.copy(*file, "Unit");
    text.section("Service");
    text.line("Type", "oneshot");
    const bool at_each_start = pull == Pull::always || pull == Pull::newer; // of the pod that the unit is for
    if (file != nullptr || !at_each_start)
        text.line("RemainAfterExit", "yes");
    text.line("TimeoutStartSec", "infinity"); // a download takes as long as it takes; it has limits of its own
    text.line("SyslogIdentifier", "%N");
    if (file != nullptr)
        text.copy(*file, "Service");
    std::vector<std::string> words{rocket_};
    words.insert(words.end(), global_flags.begin(), global_flags.end());
    const auto fetch = [&](Pull by) {
        auto all = words;
        all.insert(all.end(), {"fetch", fmt::format("--pull-policy={}", fetch_policy(by)), image});
        return join_words(all);
    };
    text.line("ExecStart", (pull == Pull::newer ? "-" : "") + fetch(pull));
    if (pull == Pull::newer) // what is in the store will do
        text.line("ExecStart", fetch(Pull::never));
    add({unit, path, text.take(path), false, file != nullptr ? links_of(*file, unit) : std::vector<std::string>{}},
        path);
}

void Translator::image(const UnitFile& file)
{
    check_sections(file, "Image");
    std::string image;
    Pull pull = Pull::missing;
    std::vector<std::string> global_flags;
    const auto* section = file.find("Image");
    for (const auto& entry : section != nullptr ? section->in_force() : std::vector<Entry>{}) {
        if (entry.key == "Image")
            image = image_reference(entry.value);
        else if (entry.key == "Policy" || entry.key == "Pull")
            pull = pull_policy(entry);
        else if (entry.key == "GlobalArgs")
            for (auto& word : split_words(entry.value))
                global_flags.push_back(std::move(word));
        else if (entry.key == "TLSVerify" && !bool_value(entry))
            global_flags.emplace_back("--insecure-options=tls");
        else if (entry.key != "TLSVerify")
            refuse(entry, "this key is not supported");
    }
    if (image.empty())
        fail(Error::Kind::usage, "{}: [Image] has no Image=", file.path);
    fetching(FileName{file.name}.service("-image"), file.path, image, pull, global_flags, &file);
}

// A directory of the host that outlives the pods that use it.
void Translator::volume(const UnitFile& file)
{
    check_sections(file, "Volume");
    const FileName name{file.name};
    std::string owner = "root", group = "root", directory = volume_directory(name.stem);
    const auto* section = file.find("Volume");
    for (const auto& entry : section != nullptr ? section->entries : std::vector<Entry>{}) {
        if (entry.key == "User")
            owner = entry.value;
        else if (entry.key == "Group")
            group = entry.value;
        else
            refuse(entry, "this key is not supported: a volume is a directory below /var/lib/rocket-volumes");
    }
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Volume {}", name.stem));
    text.line("SourcePath", file.path);
    text.line("RequiresMountsFor", directory);
    text.copy(file, "Unit");
    text.section("Service");
    text.line("Type", "oneshot");
    text.line("RemainAfterExit", "yes");
    text.copy(file, "Service");
    text.line("ExecStart", join_words({"/usr/bin/install", "-d", "-o", owner, "-g", group, "-m", "0755", directory}));
    const auto unit = name.service("-volume");
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
    text.copy(file, "Unit");
    text.section("Service");
    text.line("Type", "oneshot");
    text.line("RemainAfterExit", "yes");
    text.copy(file, "Service");
    text.line("StandardInput", "data");
    text.line("StandardInputText", escaped_text(network_configuration(file, files_)));
    text.line("ExecStart", join_words({"/usr/bin/install", "-D", "-m", "0644", "/dev/stdin", path + ".new"}));
    text.line("ExecStart", join_words({"/usr/bin/mv", "-T", path + ".new", path + ".conflist"}));
    text.line("ExecStop", join_words({"/usr/bin/rm", "-f", path + ".conflist"}));
    const auto unit = name.service("-network");
    add({unit, file.path, text.take(file.path), false, links_of(file, unit)}, file.path);
}

} // namespace rocket::quadlet

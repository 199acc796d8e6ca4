// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/translate.hh"

#include <algorithm>
#include <array>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/member.hh"
#include "stage0/quadlet/translator.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

using text::quoted;

// What Quadlet's services may be, and what a pod's supervisor needs.
void check_service(const UnitFile& file)
{
    const auto expect = [&](std::string_view key, std::initializer_list<std::string_view> values) {
        const auto* entry = file.last("Service", key);
        if (entry != nullptr && std::ranges::find(values, std::string_view{entry->value}) == values.end())
            refuse(*entry, fmt::format("in a pod's service it has to be one of: {}", fmt::join(values, ", ")));
    };
    expect("Type", {"notify", "exec", "simple", "oneshot"});
    expect("KillMode", {"mixed"});
    expect("Restart", {"no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"});
    if (const auto* entry = file.last("Service", "ExecStart"))
        refuse(*entry, "what is started is said by the section of the container");
}

// Those of [Unit] that name other units (systemd.unit(5)).
constexpr std::array<std::string_view, 10> dependencies{"After",  "Before",          "BindsTo",   "Conflicts",
                                                        "PartOf", "Requires",        "Requisite", "Upholds",
                                                        "Wants",  "PropagatesStopTo"};

bool is_of_quadlet(const std::string& name)
{
    constexpr std::array<std::string_view, 5> kinds{".container", ".pod", ".image", ".volume", ".network"};
    return std::ranges::any_of(kinds, [&](std::string_view kind) { return name.ends_with(kind); });
}

std::string_view section_of(std::string_view kind)
{
    return kind == "container" ? "Container"
           : kind == "pod"     ? "Pod"
           : kind == "image"   ? "Image"
           : kind == "volume"  ? "Volume"
                               : "Network";
}

} // namespace

void check_sections(const UnitFile& file, std::string_view own)
{
    for (const auto& section : file.sections) {
        const bool known = section.name == "Unit" || section.name == "Service" || section.name == "Install" ||
                           section.name == own || (section.name == "Socket" && own == "Container") ||
                           section.name == "Quadlet" || section.name.starts_with("X-");
        if (!known)
            fail(Error::Kind::usage, "{}: the section [{}] is not supported in a .{} file",
                 section.entries.empty() ? file.path : section.entries.front().place, text::printable(section.name),
                 FileName{file.name}.kind);
    }
    if (const auto* quadlet = file.find("Quadlet"))
        for (const auto& entry : quadlet->entries)
            if (entry.key != "DefaultDependencies")
                refuse_key(entry, "Quadlet");
    has_default_dependencies(file); // a value that is none is refused
}

void Translator::add(Unit unit, const std::string& place)
{
    const auto name = unit.name;
    if (!units_.emplace(name, std::move(unit)).second)
        fail(Error::Kind::usage, "{}: another file makes the unit {}, too", place, quoted(name));
}

const UnitFile& Translator::file_of(const Reference& reference) const
{
    const auto found = std::ranges::find(files_, reference.file, &UnitFile::name);
    if (found == files_.end())
        fail(Error::Kind::usage, "{}: there is no file {}", reference.place, quoted(reference.file));
    return *found;
}

// The unit that a file becomes, or is a part of.
std::string Translator::unit_of(const UnitFile& file) const
{
    const FileName name{file.name};
    if (const auto* pod = file.last("Container", "Pod"); pod != nullptr && !pod->value.empty())
        return unit_of(file_of({pod->value, pod->place}));
    const auto* own = file.last(section_of(name.kind), "ServiceName");
    if (own != nullptr && !own->value.empty())
        return own->value + ".service";
    return name.service(name.kind == "container" ? "" : "-" + name.kind);
}

// The unit that a reference to another file stands for. A volume needs no file of its own.
std::string Translator::resolve(const Reference& reference)
{
    const FileName name{reference.file};
    if (name.kind != "volume" || std::ranges::find(files_, reference.file, &UnitFile::name) != files_.end())
        return unit_of(file_of(reference));
    const auto unit = name.service("-volume");
    if (!units_.contains(unit)) {
        volume({.name = reference.file, .path = reference.place.substr(0, reference.place.rfind(':'))});
    }
    return unit;
}

void Translator::dependency(UnitText& text, const Entry& entry) const
{
    std::vector<std::string> units;
    for (auto& word : split_words(entry.value))
        units.push_back(is_of_quadlet(word) ? unit_of(file_of({word, entry.place})) : std::move(word));
    text.line(entry.key, fmt::format("{}", fmt::join(units, " ")));
}

// As it is, but for names of files among those of units.
void Translator::copy_unit_section(UnitText& text, const UnitFile& file) const
{
    const auto* const section = file.find("Unit");
    for (const auto& entry : section != nullptr ? section->entries : std::vector<Entry>{}) {
        if (std::ranges::find(dependencies, std::string_view{entry.key}) != dependencies.end())
            dependency(text, entry);
        else
            text.line(entry.key, entry.value);
    }
}

void Translator::container(const UnitFile& file)
{
    check_sections(file, "Container");
    const auto app = read_container(file);
    if (!app.pod.empty()) {
        file_of({app.pod, file.last("Container", "Pod")->place});
        return; // its pod reads it
    }
    check_service(file);
    service(file, unit_of(file), {app}, {});
}

// Every .container file that says Pod= of this one is an app of it, in the order of their names.
void Translator::pod(const UnitFile& file)
{
    check_sections(file, "Pod");
    check_service(file);
    const auto options = read_pod(file);
    std::vector<App> apps;
    std::vector<std::string> members;
    std::vector<const UnitFile*> member_files;
    std::map<std::string, std::string> names;
    for (const auto& member : files_) {
        const auto* pod = member.last("Container", "Pod");
        if (pod == nullptr || pod->value != file.name)
            continue;
        auto app = read_container(member);
        if (!app.of_pod.empty())
            refuse(app.of_pod.front(),
                   fmt::format("this is about all apps of the pod: say it in {}", quoted(file.name)));
        const auto service = FileName{member.name}.service();
        names[member.name] = names[service] = app.name;
        member_files.push_back(&member);
        members.push_back(service);
        apps.push_back(std::move(app));
    }
    for (std::size_t index = 0; index < apps.size(); ++index) // now that all names are known
        read_member(*member_files[index], names, apps[index]);
    if (apps.empty())
        fail(Error::Kind::usage, "{}: no .container file says Pod={}", file.path, file.name);
    const auto name = unit_of(file);
    service(file, name, apps, options);
    auto& links = units_.at(name).links; // other units may know the apps by names of their own
    links.insert(links.end(), members.begin(), members.end());
}

// Whoever starts it is told what is wrong, by the service itself; whoever boots with it finds it failed.
void Translator::fail_later(const UnitFile& file, const std::string& why)
{
    problems_.push_back({file.path, why});
    const FileName name{file.name};
    const auto unit = name.service(name.kind == "container" ? "" : "-" + name.kind);
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("{} (not translated)", file.name));
    text.line("SourcePath", file.path);
    text.section("Service");
    text.line("Type", "oneshot");
    text.line("ExecStart", join_words({rocket_, "units", "--check", literal(file.path)}));
    std::vector<std::string> links;
    try {
        links = links_of(file, unit);
    } catch (const Error&) { // that is what is wrong with it
    }
    units_.insert_or_assign(unit, Unit{unit, file.path, text.take(file.path), false, std::move(links)});
}

void Translator::translate(const UnitFile& file)
{
    if (!file.problem.empty())
        fail(Error::Kind::corrupt, "{}", file.problem);
    const auto kind = FileName{file.name}.kind;
    if (kind == "container")
        container(file);
    else if (kind == "pod")
        pod(file);
    else if (kind == "image")
        image(file);
    else if (kind == "volume")
        volume(file);
    else if (kind == "network")
        network(file);
    else
        fail(Error::Kind::usage, "{}: .{} files are not supported: {}", file.path, kind,
             kind == "kube"
                 ? "write a .pod file, and a .container file for each of its containers"
                 : "build the image elsewhere, and say Image= with what holds it: a registry, or an archive");
}

Translation Translator::run() &&
{
    const auto all = [&](bool volumes) {
        for (const auto& file : files_) {
            if ((FileName{file.name}.kind == "volume") != volumes)
                continue;
            try {
                translate(file);
            } catch (const Error& error) {
                fail_later(file, error.innermost());
            }
        }
    };
    all(true); // first: the other files imply volumes that have no file
    all(false);
    Translation result;
    for (auto& [name, unit] : units_)
        result.units.push_back(std::move(unit));
    result.problems = std::move(problems_);
    return result;
}

Translation translate(const std::vector<UnitFile>& files, const std::string& rocket)
{
    return Translator{files, rocket}.run();
}

} // namespace rocket::quadlet

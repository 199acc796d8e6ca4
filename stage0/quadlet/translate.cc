// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/translate.hh"

#include <algorithm>
#include <map>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/member.hh"
#include "stage0/quadlet/network.hh"
#include "stage0/quadlet/values.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

using text::quoted;

// "web@.container": stem "web", a template, of the kind "container".
struct FileName {
    std::string stem;
    bool is_template = false;
    std::string kind;

    explicit FileName(const std::string& name)
    {
        const auto dot = name.rfind('.');
        kind = name.substr(dot + 1);
        stem = name.substr(0, dot);
        is_template = stem.ends_with('@');
        if (is_template)
            stem.pop_back();
    }
    std::string service(std::string_view suffix = "") const
    {
        return fmt::format("{}{}{}.service", stem, suffix, is_template ? "@" : "");
    }
    // As another unit of the same instance names it.
    std::string service_of_instance(std::string_view suffix) const
    {
        return fmt::format("{}{}{}.service", stem, suffix, is_template ? "@%i" : "");
    }
};

class UnitText
{
public:
    void section(std::string_view name) { text_ += fmt::format("{}[{}]\n", text_.empty() ? "" : "\n", name); }
    void line(std::string_view key, std::string_view value) { text_ += fmt::format("{}={}\n", key, value); }
    void line(std::string_view whole) { text_ += fmt::format("{}\n", whole); }
    // What a file says in a section that is systemd's own business.
    void copy(const UnitFile& file, std::string_view name)
    {
        if (const auto* found = file.find(name))
            for (const auto& entry : found->entries)
                line(entry.key, entry.value);
    }
    // A default, unless the file says something else.
    void setting(const UnitFile& file, std::string_view key, std::string_view value)
    {
        if (file.last("Service", key) == nullptr)
            line(key, value);
    }
    std::string take(const std::string& path)
    {
        return fmt::format("# Made by rocket-generator from {}\n\n{}", path, std::move(text_));
    }

private:
    std::string text_;
};

// [Install] of a generated unit is not read by systemctl enable: the generator makes the links itself.
std::vector<std::string> links_of(const UnitFile& file, const std::string& service)
{
    constexpr std::pair<std::string_view, std::string_view> directories[] = {
        {"WantedBy", "wants"}, {"RequiredBy", "requires"}, {"UpheldBy", "upholds"}};
    std::vector<std::string> links;
    const auto* install = file.find("Install");
    if (install == nullptr)
        return links;
    for (const auto& entry : install->entries) {
        const auto* kind = std::ranges::find(directories, std::string_view{entry.key},
                                             &std::pair<std::string_view, std::string_view>::first);
        if (kind == std::end(directories) && entry.key != "Alias")
            refuse(entry, "only WantedBy=, RequiredBy=, UpheldBy= and Alias= are supported in [Install]");
        for (const auto& name : split_words(entry.value)) {
            if (name.find('/') != std::string::npos || name.find('%') != std::string::npos)
                refuse(entry, fmt::format("{} is not the name of a unit", quoted(name)));
            links.push_back(entry.key == "Alias" ? name : fmt::format("{}.{}/{}", name, kind->second, service));
        }
    }
    return links;
}

void check_sections(const UnitFile& file, std::string_view own)
{
    for (const auto& section : file.sections) {
        const bool known = section.name == "Unit" || section.name == "Service" || section.name == "Install" ||
                           section.name == own || (section.name == "Socket" && own == "Container") ||
                           section.name.starts_with("X-");
        if (!known)
            fail(Error::Kind::usage, "{}: the section [{}] is not supported in a .{} file",
                 section.entries.empty() ? file.path : section.entries.front().place, text::printable(section.name),
                 FileName{file.name}.kind);
    }
}

// What Quadlet's services may be, and what a pod's supervisor needs.
void check_service(const UnitFile& file)
{
    const auto expect = [&](std::string_view key, std::initializer_list<std::string_view> values) {
        const auto* entry = file.last("Service", key);
        if (entry != nullptr && std::ranges::find(values, std::string_view{entry->value}) == values.end())
            refuse(*entry, fmt::format("a pod's service has to be one of: {}", fmt::join(values, ", ")));
    };
    expect("Type", {"notify", "exec", "simple", "oneshot"});
    expect("KillMode", {"mixed"});
    if (const auto* entry = file.last("Service", "ExecStart"))
        refuse(*entry, "what is started is said by the section of the container");
}

// For StandardInputText=, where backslashes and specifiers mean something (systemd.exec(5)).
std::string escaped_text(std::string_view text)
{
    std::string escaped;
    for (const char c : text)
        escaped += c == '\\' || c == '%' ? std::string(2, c) : std::string(1, c);
    return escaped;
}

class Translator
{
public:
    Translator(const std::vector<UnitFile>& files, const std::string& rocket) : files_{files}, rocket_{rocket} {}
    Translation run() &&;

private:
    void translate(const UnitFile& file);
    void container(const UnitFile& file);
    void pod(const UnitFile& file);
    void image(const UnitFile& file);
    void volume(const UnitFile& file);
    void network(const UnitFile& file);
    std::string with_network_names(const std::string& flag) const;
    void service(const UnitFile& file, const std::string& name, const std::vector<App>& apps, const PodOptions& pod);
    void link(const UnitFile& file, const std::string& service);
    std::string socket_unit(const App& app, const FileName& name, const std::string& path, const std::string& service);
    std::string image_unit(App& app, const FileName& name, const std::string& path);
    std::string resolve(const Reference& reference);
    const UnitFile& file_of(const Reference& reference) const;
    void fetching(const std::string& unit, const std::string& path, const std::string& image, const std::string& policy,
                  const std::vector<std::string>& global_flags, const UnitFile* file);
    void add(Unit unit, const std::string& place);
    void fail_later(const UnitFile& file, const std::string& why);

    const std::vector<UnitFile>& files_;
    const std::string& rocket_;
    std::map<std::string, Unit> units_;
    std::vector<Problem> problems_;
};

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

// The unit that a reference to another file stands for. A volume needs no file of its own.
std::string Translator::resolve(const Reference& reference)
{
    const FileName name{reference.file};
    if (name.kind != "volume" || std::ranges::find(files_, reference.file, &UnitFile::name) != files_.end()) {
        file_of(reference);
        return name.service("-" + name.kind);
    }
    const auto unit = name.service("-volume");
    if (!units_.contains(unit)) {
        volume({.name = reference.file, .path = reference.place.substr(0, reference.place.rfind(':'))});
    }
    return unit;
}

void Translator::fetching(const std::string& unit, const std::string& path, const std::string& image,
                          const std::string& policy, const std::vector<std::string>& global_flags, const UnitFile* file)
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
    text.line("RemainAfterExit", "yes");
    text.line("TimeoutStartSec", "infinity"); // a download takes as long as it takes; it has limits of its own
    text.line("SyslogIdentifier", "%N");
    if (file != nullptr)
        text.copy(*file, "Service");
    std::vector<std::string> words{rocket_};
    words.insert(words.end(), global_flags.begin(), global_flags.end());
    words.insert(words.end(), {"fetch", "--pull-policy=" + policy, image});
    text.line("ExecStart", join_words(words));
    add({unit, path, text.take(path), false, file != nullptr ? links_of(*file, unit) : std::vector<std::string>{}},
        path);
}

// The unit that fetches the image of an app before the app's own service counts its time; empty if there is nothing
// to be fetched. What the app runs is then found in the store.
std::string Translator::image_unit(App& app, const FileName& name, const std::string& path)
{
    if (app.image.ends_with(".image")) {
        const auto& file = file_of({app.image, app.place});
        const auto* image = file.last("Image", "Image");
        if (image == nullptr)
            fail(Error::Kind::usage, "{}: [Image] has no Image=", file.path);
        app.image = image_reference(image->value);
        app.pull_policy = "never";
        return ""; // a reference like any other
    }
    const bool is_there = app.image.starts_with('/') || app.image.starts_with("sha512-") ||
                          app.pull_policy == "never" || app.image.starts_with("oci") ||
                          app.image.starts_with("docker-archive:");
    if (is_there)
        return "";
    fetching(name.service("-image"), path, app.image, app.pull_policy, app.global_flags, nullptr);
    app.pull_policy = "never";
    return name.service_of_instance("-image");
}

// The unit that listens for an app, from boot on, and starts the app's service when somebody comes; empty if the app
// listens by itself. `name`: of the app's own file.
std::string Translator::socket_unit(const App& app, const FileName& name, const std::string& path,
                                    const std::string& service)
{
    if (app.socket.empty())
        return "";
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Sockets of {}", app.name));
    text.line("SourcePath", path);
    text.section("Socket");
    bool is_named = false;
    for (const auto& entry : app.socket) {
        if (entry.key == "Service")
            refuse(entry, "the sockets of an app start its own service");
        if (entry.key == "Accept" && bool_value(entry))
            refuse(entry, "an app gets sockets that it accepts connections from");
        is_named = is_named || entry.key == "FileDescriptorName";
        text.line(entry.key, entry.value);
    }
    if (!is_named)
        text.line("FileDescriptorName", app.name); // by which the pod knows whose they are
    if (service != name.service())                 // which is the default, also of each instance
        text.line("Service", service);
    const auto unit = fmt::format("{}{}.socket", name.stem, name.is_template ? "@" : "");
    add({unit, path, text.take(path), false, {"sockets.target.wants/" + unit}}, path);
    return name.is_template ? name.stem + "@%i.socket" : unit;
}

void Translator::service(const UnitFile& file, const std::string& name, const std::vector<App>& apps,
                         const PodOptions& pod)
{
    const FileName file_name{file.name};
    std::vector<std::string> needs;
    std::vector<std::string> globals{rocket_}, flags, images, lines, unit_lines;
    std::string policy = "never";
    const auto append = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
        to.insert(to.end(), from.begin(), from.end());
    };
    append(globals, pod.global_flags);
    append(flags, pod.flags);
    auto references = pod.references;
    for (auto app : apps) {
        append(globals, app.global_flags);
        append(lines, app.service_lines);
        append(unit_lines, app.unit_lines);
        const auto app_file = app.pod.empty() ? file_name : FileName{app.name + ".container"};
        for (auto unit : {image_unit(app, app_file, file.path), socket_unit(app, app_file, file.path, name)})
            if (!unit.empty())
                needs.push_back(std::move(unit));
        if (app.pull_policy != "never")
            policy = app.pull_policy;
        references.insert(references.end(), app.references.begin(), app.references.end());
        append(flags, app.pod_flags);
        if (!images.empty())
            images.emplace_back("---");
        images.push_back(app.image);
        append(images, app.flags);
        if (!app.arguments.empty()) {
            images.emplace_back("--");
            for (const auto& argument : app.arguments) // a literal "---" would begin the next image
                images.push_back(argument.ends_with("---") && argument.find_first_not_of("\\-") == std::string::npos &&
                                         argument.find('-') + 3 == argument.size()
                                     ? "\\" + argument
                                     : argument);
        }
    }
    for (const auto& reference : references)
        needs.push_back(resolve(reference));
    for (auto& flag : flags)
        flag = with_network_names(flag);
    std::ranges::sort(needs);
    needs.erase(std::unique(needs.begin(), needs.end()), needs.end());

    UnitText text;
    text.section("Unit");
    text.copy(file, "Unit");
    for (const auto& line : unit_lines)
        text.line(line);
    text.line("SourcePath", file.path);
    for (const auto& unit : needs) {
        text.line("Requires", unit);
        text.line("After", unit);
    }
    const bool has_sockets = std::ranges::any_of(apps, [](const App& app) { return !app.socket.empty(); });
    if (has_sockets && file.last("Unit", "StartLimitIntervalSec") == nullptr)
        text.line("StartLimitIntervalSec", "0"); // with it, the socket would be closed; it has a limit of its own
    text.section("Service");
    text.copy(file, "Service");
    text.setting(file, "Type", "notify");
    text.setting(file, "NotifyAccess", "main");
    text.setting(file, "KillMode", "mixed"); // SIGTERM is for the supervisor alone, which stops the apps in order
    text.setting(file, "Delegate", "yes");
    text.setting(file, "SyslogIdentifier", "%N");
    for (const auto& line : lines)
        text.line(line);
    const std::string uuid_file = "%t/rocket-%N.uuid";
    auto words = globals;
    append(words, {"run", "--uuid-file-save=" + uuid_file, "--pull-policy=" + policy});
    append(words, flags);
    append(words, images);
    text.line("ExecStart", join_words(words));
    words = globals;
    append(words, {"rm", "--uuid-file=" + uuid_file});
    text.line("ExecStopPost", "-" + join_words(words));
    const bool auto_update = std::ranges::any_of(apps, &App::auto_update);
    add({name, file.path, text.take(file.path), auto_update, {}}, file.path);
    link(file, name);
}

// What is started on demand is not started at boot: with [Socket], it is the socket that [Install] wants.
void Translator::link(const UnitFile& file, const std::string& service)
{
    const auto socket = units_.find(service.substr(0, service.rfind('.')) + ".socket");
    const bool on_demand = file.find("Socket") != nullptr && socket != units_.end();
    auto& links = units_.at(service).links;
    if (!on_demand) {
        links = links_of(file, service);
        return;
    }
    for (auto& found : links_of(file, socket->first)) {
        const bool is_alias = found.find('/') == std::string::npos;
        (is_alias ? links : socket->second.links).push_back(std::move(found));
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
    const auto name = app.service_name.empty() ? FileName{file.name}.service() : app.service_name + ".service";
    service(file, name, {app}, {});
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
    const FileName file_name{file.name};
    const auto name = options.service_name.empty() ? file_name.service("-pod") : options.service_name + ".service";
    service(file, name, apps, options);
    auto& links = units_.at(name).links; // other units may know the apps by names of their own
    links.insert(links.end(), members.begin(), members.end());
}

void Translator::image(const UnitFile& file)
{
    check_sections(file, "Image");
    std::string image, policy = "new";
    std::vector<std::string> global_flags;
    const auto* section = file.find("Image");
    for (const auto& entry : section != nullptr ? section->entries : std::vector<Entry>{}) {
        if (entry.key == "Image")
            image = image_reference(entry.value);
        else if (entry.key == "Policy" || entry.key == "Pull")
            policy = pull_policy(entry);
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
    fetching(FileName{file.name}.service("-image"), file.path, image, policy, global_flags, &file);
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
    const auto path = fmt::format("{}/{}", network_directory, network_name(file));
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

// "--net=lan.network:IP=..." -> "--net=NAME:IP=..."
std::string Translator::with_network_names(const std::string& flag) const
{
    constexpr std::string_view net = "--net=";
    if (!flag.starts_with(net))
        return flag;
    std::vector<std::string> items;
    for (auto& item : text::split(flag.substr(net.size()), ',')) {
        const auto colon = std::min(item.find(':'), item.size());
        const auto name = item.substr(0, colon);
        items.push_back(name.ends_with(".network") ? network_name(file_of({name, name})) + item.substr(colon) : item);
    }
    return fmt::format("{}{}", net, fmt::join(items, ","));
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
        fail(Error::Kind::usage, "{}: .{} files are not supported", file.path, kind);
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

} // namespace

Translation translate(const std::vector<UnitFile>& files, const std::string& rocket)
{
    return Translator{files, rocket}.run();
}

} // namespace rocket::quadlet

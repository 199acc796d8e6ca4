// SPDX-License-Identifier: Apache-2.0
// Services that run pods, and what belongs to them: the units that fetch their images and that listen for them.
#include <algorithm>

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

using Words = std::vector<std::string>;

void append(Words& to, const Words& from)
{
    to.insert(to.end(), from.begin(), from.end());
}

} // namespace

// What the apps of a pod say and need, together.
struct Translator::Whole {
    Words globals, flags, images, service_lines, needs;
    std::vector<Words> reloads;
    std::vector<Entry> order;
    std::vector<Reference> references;
    std::string policy = "never";
    std::uint64_t stop_timeout_usec = 0; // one app may have to end before another is asked to
    const Entry* user = nullptr;         // whose pod it is, if not root's
    bool has_sockets = false, has_idle_end = false, auto_update = false;

    void add(const App& app)
    {
        append(globals, app.global_flags);
        append(flags, app.pod_flags);
        append(service_lines, app.service_lines);
        order.insert(order.end(), app.order.begin(), app.order.end());
        if (!app.reload.empty()) {
            reloads.push_back({"--app=" + app.name});
            append(reloads.back(), app.reload);
        }
        stop_timeout_usec += app.stop_timeout_usec;
        has_sockets = has_sockets || !app.socket.empty();
        has_idle_end = has_idle_end || !app.forwarding.idle.empty();
        auto_update = auto_update || app.auto_update;
        references.insert(references.end(), app.references.begin(), app.references.end());
        if (app.pull != Pull::never)
            policy = fetch_policy(app.pull);
        if (!images.empty())
            images.emplace_back("---");
        images.push_back(app.image);
        append(images, app.flags);
        if (!app.arguments.empty())
            images.emplace_back("--");
        for (const auto& argument : app.arguments)
            images.push_back(begins_next_image(argument) ? "\\" + argument : argument);
    }

private:
    // "---", or that with as many backslashes as it was protected with before.
    static bool begins_next_image(const std::string& argument)
    {
        return argument.ends_with("---") && argument.find_first_not_of("\\-") == std::string::npos &&
               argument.find('-') + 3 == argument.size();
    }
};

namespace
{

// Of whom root must not be (rocket(1), "Pods without root"); null: root's.
const Entry* other_user(const UnitFile& file)
{
    const auto* dynamic = file.last("Service", "DynamicUser");
    if (dynamic != nullptr && bool_value(*dynamic))
        return dynamic;
    const auto* user = file.last("Service", "User");
    const bool is_root = user == nullptr || user->value.empty() || user->value == "root" || user->value == "0";
    return is_root ? nullptr : user;
}

} // namespace

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
        app.pull = Pull::never;
        return ""; // a reference like any other
    }
    const bool is_there = app.image.starts_with('/') || app.image.starts_with("sha512-") || app.pull == Pull::never ||
                          app.image.starts_with("oci") || app.image.starts_with("docker-archive:");
    if (is_there)
        return "";
    fetching({.unit = name.service("-image"),
              .path = path,
              .image = app.image,
              .pull = app.pull,
              .global_flags = app.global_flags,
              .retries = app.retries,
              .waits_for_network = app.waits_for_network});
    app.pull = Pull::never;
    return name.service_of_instance("-image");
}

Translator::Whole Translator::together(const UnitFile& file, const std::string& name, const std::vector<App>& apps,
                                       const PodOptions& pod)
{
    const auto file_of_app = [&](const App& app) {
        return FileName{app.pod.empty() ? file.name : app.name + ".container"};
    };
    Whole whole{.globals = pod.global_flags,
                .flags = pod.flags,
                .service_lines = pod.service_lines,
                .references = pod.references,
                .user = other_user(file)};
    for (auto app : apps) {
        const auto app_file = file_of_app(app);
        for (auto unit : {image_unit(app, app_file, file.path), socket_unit(app, app_file, file.path, name)})
            if (!unit.empty())
                whole.needs.push_back(std::move(unit));
        whole.add(app);
    }
    if (whole.user != nullptr)
        whole.needs.emplace_back("rocket-users.socket");
    if (whole.user != nullptr && !whole.reloads.empty())
        refuse(*whole.user, "ReloadCmd= finds the pods of root only");
    for (const auto& app : apps)
        if (!app.forwarding.port.empty() && whole.user != nullptr)
            refuse(*whole.user, "ForwardTo= finds the pods of root only");
        else if (!app.forwarding.port.empty())
            proxy_unit(app, file_of_app(app), file.path, name, program(whole));
    for (const auto& reference : whole.references)
        whole.needs.push_back(resolve(reference));
    for (auto& flag : whole.flags)
        flag = with_names(flag);
    std::ranges::sort(whole.needs);
    whole.needs.erase(std::unique(whole.needs.begin(), whole.needs.end()), whole.needs.end());
    return whole;
}

std::vector<std::string> Translator::program(const Whole& whole) const
{
    Words words{rocket_};
    append(words, whole.globals);
    return words;
}

void Translator::unit_section(UnitText& text, const UnitFile& file, const Whole& whole) const
{
    text.section("Unit");
    copy_unit_section(text, file);
    for (const auto& entry : whole.order)
        dependency(text, entry);
    text.line("SourcePath", file.path);
    for (const auto& unit : whole.needs) {
        text.line("Requires", unit);
        text.line("After", unit);
    }
    if (whole.has_sockets && file.last("Unit", "StartLimitIntervalSec") == nullptr)
        text.line("StartLimitIntervalSec", "0"); // with it, the socket would be closed; it has a limit of its own
    if (whole.has_idle_end)
        text.line("StopWhenUnneeded", "yes"); // by what hands connections on to it
}

void Translator::service_section(UnitText& text, const UnitFile& file, const Whole& whole) const
{
    text.section("Service");
    text.copy(file, "Service");
    text.setting(file, "Type", "notify");
    text.setting(file, "NotifyAccess", "main");
    text.setting(file, "KillMode", "mixed"); // SIGTERM is for the supervisor alone, which stops the apps in order
    text.setting(file, "Delegate", "yes");
    text.setting(file, "SyslogIdentifier", "%N");
    for (const auto& line : whole.service_lines)
        text.line(line);
    constexpr std::uint64_t margin = 30'000'000, usual = 90'000'000; // systemd-system.conf(5), DefaultTimeoutStopSec=
    if (whole.stop_timeout_usec + margin > usual)
        text.setting(file, "TimeoutStopSec", fmt::format("{}us", whole.stop_timeout_usec + margin));
    if (whole.user != nullptr) {
        text.line("SupplementaryGroups", "rocket");
        text.setting(file, "StateDirectory", "%N");
        text.line("RuntimeDirectory", "rocket-%N");
    }
    const std::string uuid_file = whole.user != nullptr ? "%t/rocket-%N/uuid" : "%t/rocket-%N.uuid";
    auto run = program(whole), remove = run, enter = run;
    append(run, {"run", "--uuid-file-save=" + uuid_file, "--pull-policy=" + whole.policy});
    append(run, whole.flags);
    append(run, whole.images);
    text.line("ExecStart", join_words(run));
    append(enter, {"enter", "--uuid-file=" + uuid_file});
    for (const auto& command : whole.reloads) {
        auto reload = enter;
        append(reload, command);
        text.line("ExecReload", join_words(reload));
    }
    append(remove, {"rm", "--uuid-file=" + uuid_file});
    text.line("ExecStopPost", "-" + join_words(remove));
}

void Translator::service(const UnitFile& file, const std::string& name, const std::vector<App>& apps,
                         const PodOptions& pod)
{
    const auto whole = together(file, name, apps, pod);
    UnitText text;
    unit_section(text, file, whole);
    service_section(text, file, whole);
    add({name, file.path, text.take(file.path), whole.auto_update, {}}, file.path);
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

std::string Translator::with_names(const std::string& flag) const
{
    return flag.starts_with("--net=")      ? with_network_names(flag)
           : flag.starts_with("--volume=") ? with_volume_directory(flag)
                                           : flag;
}

// "--volume=v,kind=host,source=data.volume,..." -> "--volume=v,kind=host,source=/var/lib/...,..."
std::string Translator::with_volume_directory(const std::string& flag) const
{
    constexpr std::string_view key = ",source=";
    const auto begin = flag.find(key);
    if (begin == std::string::npos)
        return flag;
    const auto from = begin + key.size(), to = std::min(flag.find(',', from), flag.size());
    const auto file = flag.substr(from, to - from);
    if (file.find('/') != std::string::npos || !file.ends_with(".volume"))
        return flag;
    const auto found = std::ranges::find(files_, file, &UnitFile::name);
    const auto* const name = found != files_.end() ? found->last("Volume", "VolumeName") : nullptr;
    return flag.substr(0, from) + volume_directory(file, name) + flag.substr(to);
}

// "--net=lan.network:IP=..." -> "--net=NAME:IP=..."
std::string Translator::with_network_names(const std::string& flag) const
{
    constexpr std::string_view net = "--net=";
    std::vector<std::string> items;
    for (auto& item : text::split(flag.substr(net.size()), ',')) {
        const auto colon = std::min(item.find(':'), item.size());
        const auto name = item.substr(0, colon);
        items.push_back(name.ends_with(".network") ? network_name(file_of({name, name})) + item.substr(colon) : item);
    }
    return fmt::format("{}{}", net, fmt::join(items, ","));
}

} // namespace rocket::quadlet

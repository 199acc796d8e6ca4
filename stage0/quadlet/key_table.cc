// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/key_table.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/model/ac_name.hh"
#include "common/model/app_policy.hh"
#include "common/model/time_span.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

// As in a unit file, a "$" is nothing but a "$".
std::string dollars_doubled(std::string_view text)
{
    std::string doubled;
    for (const char c : text)
        doubled += c == '$' ? "$$" : std::string(1, c);
    return doubled;
}

// --- one function for each key that takes more than a line

void set_image(Reading& reading, const Entry& entry)
{
    if (entry.value.ends_with(".build"))
        refuse(entry, "images are not built here: name one that is there");
    reading.app.place = entry.place;
    if (entry.value.ends_with(".image")) {
        reading.app.image = entry.value;
        reading.app.references.push_back({entry.value, entry.place});
    } else {
        reading.app.image = image_reference(entry.value);
    }
}

// Each word NAME=VALUE.
void add_environment(Reading& reading, const Entry& entry)
{
    for (auto& word : split_words(entry.value)) {
        if (word.find('=') == std::string::npos || word.front() == '=')
            refuse(entry, fmt::format("{} is not NAME=VALUE", text::quoted(word)));
        reading.flag("environment", dollars_doubled(word));
    }
}

void add_pairs(Reading& reading, const Entry& entry, std::string_view flag)
{
    for (const auto& word : split_words(entry.value))
        reading.flag(flag, word);
}

void add_capabilities(Reading& reading, const Entry& entry, std::vector<std::string>& list)
{
    for (auto& word : split_words(entry.value))
        list.push_back(std::move(word));
    reading.capability_entry = entry;
}

void set_user(Reading& reading, const Entry& entry)
{
    const auto colon = entry.value.find(':');
    reading.flag("user", entry.value.substr(0, colon));
    if (colon != std::string::npos)
        reading.flag("group", entry.value.substr(colon + 1));
}

void set_entrypoint(Reading& reading, const Entry& entry)
{
    const auto words = split_words(entry.value);
    if (words.size() != 1)
        refuse(entry, "an entry point is one program; its arguments go into Exec=");
    reading.flag("exec", words[0]);
}

struct Secret {
    std::string name, target, mode, uid, gid;
};

Secret read_secret(const Entry& entry)
{
    const auto parts = text::split(entry.value, ',');
    Secret secret{.name = parts[0], .target = parts[0], .mode = "", .uid = "", .gid = ""};
    if (secret.name.empty() || secret.name.find_first_of("/:% ") != std::string::npos)
        refuse(entry, fmt::format("{} is not the name of a credential", text::quoted(secret.name)));
    for (std::size_t index = 1; index < parts.size(); ++index) {
        const auto equals = std::min(parts[index].find('='), parts[index].size());
        const auto key = parts[index].substr(0, equals);
        const auto value = parts[index].substr(std::min(equals + 1, parts[index].size()));
        if (key == "target")
            secret.target = value;
        else if (key == "mode" && text::parse_octal(value, 0777))
            secret.mode = value;
        else if ((key == "uid" || key == "gid") && text::parse_id(value))
            (key == "uid" ? secret.uid : secret.gid) = value;
        else if (parts[index] == "type=env")
            refuse(entry,
                   "a secret is a file: most images take its place, as in POSTGRES_PASSWORD_FILE=/run/secrets/NAME");
        else if (parts[index] != "type=mount")
            refuse(entry, fmt::format("the option {} is not supported", text::quoted(parts[index])));
    }
    if (!secret.target.starts_with('/'))
        secret.target = "/run/secrets/" + secret.target;
    return secret;
}

// A credential of the service (systemd.exec(5), LoadCredential=), as a file of the app: root's alone, unless it is to
// be somebody else's. Then it is a copy in a directory of root's, which goes with the service.
void add_secret(Reading& reading, const Entry& entry)
{
    const auto secret = read_secret(entry);
    const auto volume = reading.next_volume();
    auto& lines = reading.app.service_lines;
    auto source = "%d/" + secret.name;
    lines.push_back("LoadCredential=" + secret.name);
    if (!(secret.mode + secret.uid + secret.gid).empty()) {
        const auto or_else = [](const std::string& text, const char* usual) { return text.empty() ? usual : text; };
        const auto copy = fmt::format("%t/rocket-%N-secrets/{}", volume);
        lines.insert(lines.end(), {"RuntimeDirectory=rocket-%N-secrets", "RuntimeDirectoryMode=0700"});
        lines.push_back("ExecStartPre=" +
                        join_words({"/usr/bin/install", "-m", or_else(secret.mode, "0400"), "-o",
                                    or_else(secret.uid, "0"), "-g", or_else(secret.gid, "0"), source, copy}));
        source = copy;
    }
    reading.mount(host_file(source, secret.target, true, volume));
}

void add_device(Reading& reading, const Entry& entry)
{
    const auto parts = text::split(entry.value, ':');
    const auto& source = parts[0];
    const auto is_permission = [](const std::string& word) { return word == "r" || word == "rw" || word == "rwm"; };
    if (source.starts_with('-'))
        refuse(entry,
               "whether a device is there is not known yet: name one that is, in a drop-in of the hosts that have it");
    const bool has_permission = parts.size() > 1 && is_permission(parts.back());
    const auto places = parts.size() - (has_permission ? 1 : 0);
    if (!source.starts_with("/dev/") || places > 2)
        refuse(entry, "a device is /dev/NAME[:TARGET][:r|rw|rwm]");
    reading.mount(host_file(source, places == 2 ? parts[1] : source, has_permission && parts.back() == "r",
                            reading.next_volume()));
}

// A copy: the file is most often a link, which no source of a volume may be.
void set_timezone(Reading& reading, const Entry& entry)
{
    const auto file = entry.value == "local" ? std::string{"/etc/localtime"} : "/usr/share/zoneinfo/" + entry.value;
    const auto volume = reading.next_volume();
    const auto copy = fmt::format("%t/rocket-%N-{}.localtime", volume);
    reading.app.service_lines.push_back("ExecStartPre=" + join_words({"/usr/bin/install", "-m", "0644", file, copy}));
    reading.mount(host_file(copy, "/etc/localtime", true, volume));
}

// Most files that mount the host's /etc/localtime want what Timezone=local does, and it may be a link.
void add_volume(Reading& reading, const Entry& entry)
{
    constexpr std::string_view zone = "/etc/localtime:/etc/localtime";
    if (!reading.mounts_for_all && (entry.value == zone || entry.value == std::string{zone} + ":ro"))
        set_timezone(reading, {.key = entry.key, .value = "local", .place = entry.place});
    else
        reading.mount(volume_flags(entry, reading.next_volume()));
}

void expect(const Entry& entry, std::initializer_list<std::string_view> values, std::string_view why)
{
    if (std::ranges::find(values, std::string_view{entry.value}) == values.end())
        refuse(entry, why);
}

void set_notify(Reading& reading, const Entry& entry)
{
    const bool by_health = entry.value == "healthy";
    reading.is_checked = reading.is_checked || by_health;
    reading.flag("notify", by_health ? "healthy" : bool_value(entry) ? "ready" : "started");
}

void set_auto_update(Reading& reading, const Entry& entry)
{
    expect(entry, {"registry"}, "only registry is supported: the image is looked up again by `rocket update --all`");
    reading.app.auto_update = true;
}

void set_stop_timeout(Reading& reading, const Entry& entry)
{
    reading.policy("stop-timeout-sec", entry);
    reading.app.stop_timeout_usec = model::parse_time_span(entry.value);
}

// Each word NAME=VALUE.
void add_sysctls(Reading& reading, const Entry& entry)
{
    for (const auto& word : split_words(entry.value))
        reading.pod_flag("sysctl", word);
}

// NAME=SOFT[:HARD], a limit of the service, which apps have as well (systemd.exec(5), LimitNOFILE=).
void add_limit(Reading& reading, const Entry& entry)
{
    constexpr std::array<std::string_view, 16> names{"as",      "core",     "cpu",        "data",   "fsize", "locks",
                                                     "memlock", "msgqueue", "nice",       "nofile", "nproc", "rss",
                                                     "rtprio",  "rttime",   "sigpending", "stack"};
    const auto equals = entry.value.find('=');
    auto name = entry.value.substr(0, equals);
    if (std::ranges::find(names, std::string_view{name}) == names.end() || equals == std::string::npos)
        refuse(entry, fmt::format("a limit is NAME=SOFT[:HARD], NAME one of {}", fmt::join(names, ", ")));
    auto values = text::split(entry.value.substr(equals + 1), ':');
    for (auto& value : values)
        if (value == "-1" || value == "unlimited")
            value = "infinity";
        else if (values.size() > 2 || !text::parse_decimal(value))
            refuse(entry, fmt::format("{} is not a limit", text::quoted(value)));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    reading.app.service_lines.push_back(fmt::format("Limit{}={}", name, fmt::join(values, ":")));
}

// Words that are for `rocket` itself: what Quadlet's PodmanArgs= is for podman.
void add_words(const Entry& entry, std::vector<std::string>& words)
{
    for (auto& word : split_words(entry.value)) {
        if (!word.starts_with("--"))
            refuse(entry, fmt::format("{} is not a flag: write --FLAG=VALUE", text::quoted(word)));
        words.push_back(std::move(word));
    }
}

// --- what [Container] and [Pod] have in common: the pod's names and networks

constexpr Key shared_rows[] = {
    {"AddHost", [](Reading& r, const Entry& e) { r.app.pod_flags.push_back(hosts_flag(e)); }, true},
    {"DNS", [](Reading& r, const Entry& e) { r.pod_flag("dns", e.value); }, true},
    {"DNSOption", [](Reading& r, const Entry& e) { r.pod_flag("dns-opt", e.value); }, true},
    {"DNSSearch", [](Reading& r, const Entry& e) { r.pod_flag("dns-search", e.value); }, true},
    {"EnvironmentHost",
     [](Reading& r, const Entry& e) {
         if (bool_value(e))
             r.app.pod_flags.push_back("--inherit-env");
     },
     true},
    {"GlobalArgs", [](Reading& r, const Entry& e) { add_words(e, r.app.global_flags); }},
    {"HostName", [](Reading& r, const Entry& e) { r.pod_flag("hostname", e.value); }, true},
    {"IP", [](Reading& r, const Entry& e) { r.ip = e; }, true},
    {"Network", [](Reading& r, const Entry& e) { r.networks.push_back(e); }, true},
    {"PublishPort", [](Reading& r, const Entry& e) { r.app.pod_flags.push_back(port_flag(e)); }, true},
    {"ServiceName", [](Reading& r, const Entry& e) { r.app.service_name = e.value; }, true},
    {"Sysctl", add_sysctls, true},
    {"Ulimit", add_limit, true},
    {"UserNS",
     [](Reading& r, const Entry& e) {
         expect(e, {"auto", "host"},
                "only auto (a range of ids of the pod's own) and host are supported; for a user's own say User= in "
                "[Service]");
         if (e.value == "auto")
             r.app.pod_flags.push_back("--private-users");
     },
     true},
    {"Volume", add_volume},
};

constexpr Key container_rows[] = {
    {"AddCapability", [](Reading& r, const Entry& e) { add_capabilities(r, e, r.added_capabilities); }},
    {"AddDevice", add_device},
    {"Annotation", [](Reading& r, const Entry& e) { add_pairs(r, e, "user-annotation"); }},
    {"AutoUpdate", set_auto_update},
    {"ContainerName", set_name},
    {"DropCapability", [](Reading& r, const Entry& e) { add_capabilities(r, e, r.dropped_capabilities); }},
    {"Entrypoint", set_entrypoint},
    {"Environment", add_environment},
    {"EnvironmentFile", // Environment= counts more, wherever it stands
     [](Reading& r, const Entry& e) { r.environment_files.push_back("--environment-file=" + e.value); }},
    {"Exec", [](Reading& r, const Entry& e) { r.app.arguments = split_words(e.value); }},
    {"Group", [](Reading& r, const Entry& e) { r.flag("group", e.value); }},
    {"GroupAdd",
     [](Reading& r, const Entry& e) {
         if (!text::parse_id(e.value) && e.value.find('%') == std::string::npos)
             refuse(e, "say the group as a number");
         r.groups.push_back(e.value);
     }},
    {"HealthCmd", [](Reading& r, const Entry& e) { r.health("cmd", e); }},
    {"HealthInterval", [](Reading& r, const Entry& e) { r.health("interval", e); }},
    {"HealthOnFailure", [](Reading& r, const Entry& e) { r.health("on-failure", e); }},
    {"HealthRetries", [](Reading& r, const Entry& e) { r.health("retries", e); }},
    {"HealthStartPeriod", [](Reading& r, const Entry& e) { r.health("start-period", e); }},
    {"HealthStartupCmd", [](Reading& r, const Entry& e) { r.health("startup-cmd", e); }},
    {"HealthStartupInterval", [](Reading& r, const Entry& e) { r.health("startup-interval", e); }},
    {"HealthStartupRetries", [](Reading& r, const Entry& e) { r.health("startup-retries", e); }},
    {"HealthStartupSuccess", [](Reading& r, const Entry& e) { r.health("startup-success", e); }},
    {"HealthStartupTimeout", [](Reading& r, const Entry& e) { r.health("startup-timeout", e); }},
    {"HealthTimeout", [](Reading& r, const Entry& e) { r.health("timeout", e); }},
    {"Image", set_image},
    {"Label", [](Reading& r, const Entry& e) { add_pairs(r, e, "user-label"); }},
    {"LogDriver",
     [](Reading&, const Entry& e) {
         expect(e, {"journald", "passthrough"}, "what apps say goes to the journal");
     }},
    {"Memory", [](Reading& r, const Entry& e) { r.flag("memory", e.value); }},
    {"Mount", [](Reading& r, const Entry& e) { r.mount(mount_flags(e, r.next_volume())); }},
    {"NoNewPrivileges",
     [](Reading& r, const Entry& e) { r.flag("no-new-privileges", bool_value(e) ? "true" : "false"); }},
    {"Notify", set_notify},
    {"Pod", [](Reading& r, const Entry& e) { r.app.pod = e.value; }},
    {"Pull", [](Reading& r, const Entry& e) { r.app.pull = pull_policy(e); }},
    {"ReadOnly", [](Reading& r, const Entry& e) { r.flag("readonly-rootfs", bool_value(e) ? "true" : "false"); }},
    {"ReloadCmd", [](Reading& r, const Entry& e) { r.app.reload = split_words(e.value); }},
    {"Retry", [](Reading& r, const Entry& e) { r.app.retries.push_back(retry_flag(e)); }},
    {"RetryDelay", [](Reading& r, const Entry& e) { r.app.retries.push_back(retry_flag(e)); }},
    {"RocketArgs", [](Reading& r, const Entry& e) { add_words(e, r.app.flags); }},
    {"RunInit", [](Reading&, const Entry& e) { bool_value(e); }}, // there always is one
    {"Secret", add_secret},
    {"StartWithPod",
     [](Reading&, const Entry& e) {
         if (!bool_value(e))
             refuse(e, "all apps of a pod start with it: give this one a service of its own");
     }},
    {"StopSignal", [](Reading& r, const Entry& e) { r.policy("stop-signal", e); }},
    {"StopTimeout", set_stop_timeout},
    {"Timezone", set_timezone},
    {"Tmpfs", [](Reading& r, const Entry& e) { r.mount(tmpfs_flags(e, r.next_volume())); }},
    {"User", set_user},
    {"WorkingDir", [](Reading& r, const Entry& e) { r.flag("working-dir", e.value); }},
};

constexpr Key pod_rows[] = {
    {"PodName", [](Reading& r, const Entry& e) { r.pod_flag("hostname", e.value); }},
    {"RocketArgs", [](Reading& r, const Entry& e) { add_words(e, r.app.pod_flags); }},
};

} // namespace

void Reading::mount(VolumeFlags flags)
{
    app.pod_flags.push_back(std::move(flags.volume));
    (mounts_for_all ? app.pod_flags : app.flags).push_back(std::move(flags.mount));
    for (auto& reference : flags.references)
        app.references.push_back(std::move(reference));
}

void Reading::flag(std::string_view name, std::string_view value)
{
    app.flags.push_back(fmt::format("--{}={}", name, value));
}

void Reading::pod_flag(std::string_view name, std::string_view value)
{
    app.pod_flags.push_back(fmt::format("--{}={}", name, value));
}

// As a setting is read again when the pod is made, but now its place is known.
void Reading::health(std::string_view setting, const Entry& entry)
{
    const auto name = fmt::format("health-{}", setting);
    is_checked = true;
    has_check = has_check || setting == "cmd";
    if (setting != "cmd" || entry.value != model::health_of_image)
        model::check_policy_setting({.name = model::AcIdentifier::parse("rocket/" + name), .value = entry.value});
    flag(name, dollars_doubled(entry.value));
}

// What podman takes for a name becomes one of appc. A template's, which has specifiers, is looked at when it starts.
void set_name(Reading& reading, const Entry& entry)
{
    const auto is_known = [](unsigned char c) { return std::isalnum(c) != 0 || std::strchr("_.-%", c) != nullptr; };
    if (!std::ranges::all_of(entry.value, is_known))
        refuse(entry, "a name has letters, digits, and _ . - between them");
    const bool has_specifier = entry.value.find('%') != std::string::npos;
    reading.app.name = has_specifier ? entry.value : model::AppName::sanitized(entry.value).str();
}

void Reading::policy(std::string_view annotation, const Entry& entry)
{
    const auto name = fmt::format("rocket/{}", annotation);
    model::check_policy_setting({.name = model::AcIdentifier::parse(name), .value = entry.value});
    flag("annotation", fmt::format("{}={}", name, entry.value));
}

std::span<const Key> keys_of_container()
{
    return container_rows;
}

std::span<const Key> keys_of_pod()
{
    return pod_rows;
}

std::span<const Key> keys_of_both()
{
    return shared_rows;
}

} // namespace rocket::quadlet

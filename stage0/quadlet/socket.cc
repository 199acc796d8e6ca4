// SPDX-License-Identifier: Apache-2.0
// [Socket]: what listens for an app, and what hands connections on to one that cannot be handed sockets.
#include <algorithm>
#include <array>

#include "common/model/time_span.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/translator.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

constexpr std::array<std::string_view, 2> own_keys{"ForwardTo", "StopWhenIdle"};

// It finds the pod, joins its network, becomes nobody and reads no file from then on.
constexpr std::pair<std::string_view, std::string_view> confinement[] = {
    {"LimitNOFILE", "524288"}, // six for each connection
    {"CapabilityBoundingSet", "CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SETUID CAP_SETGID"},
    {"LockPersonality", "yes"},
    {"MemoryDenyWriteExecute", "yes"},
    {"NoNewPrivileges", "yes"},
    {"PrivateDevices", "yes"},
    {"ProtectClock", "yes"},
    {"ProtectControlGroups", "yes"},
    {"ProtectHome", "read-only"},
    {"ProtectHostname", "yes"},
    {"ProtectKernelLogs", "yes"},
    {"ProtectKernelModules", "yes"},
    {"ProtectKernelTunables", "yes"},
    {"ProtectSystem", "strict"},
    {"RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"},
    {"RestrictNamespaces", "net"},
    {"RestrictRealtime", "yes"},
    {"SystemCallArchitectures", "native"},
    {"SystemCallFilter", "@system-service"},
};

void check_forwarded(const Entry& entry)
{
    if (entry.key.starts_with("Listen") && entry.key != "ListenStream")
        refuse(entry, "only connections are handed on, those of ListenStream=");
    if (entry.key == "FileDescriptorName")
        refuse(entry, "with ForwardTo= the app is handed no socket");
}

std::uint64_t idle_time(const Entry& entry)
{
    std::uint64_t span = 0;
    try {
        span = model::parse_time_span(entry.value);
    } catch (const Error& error) {
        refuse(entry, error.innermost());
    }
    if (constexpr std::uint64_t day = 24ULL * 3600 * 1'000'000; span == 0 || span > day)
        refuse(entry, "say how long nobody has to be connected, up to 24h");
    return span;
}

} // namespace

std::vector<std::string_view> socket_keys()
{
    return {own_keys.begin(), own_keys.end()};
}

Forwarding read_forwarding(const std::vector<Entry>& section)
{
    Forwarding read;
    const Entry* idle = nullptr;
    for (const auto& entry : section) {
        if (entry.key == "ForwardTo") {
            if (text::parse_decimal(entry.value, UINT16_MAX).value_or(0) == 0)
                refuse(entry, "say the number of a port in the pod");
            read.port = entry.value;
        } else if (entry.key == "StopWhenIdle") {
            idle = &entry;
            read.idle = fmt::format("{}us", idle_time(entry));
        }
    }
    if (idle != nullptr && read.port.empty())
        refuse(*idle, "an app that is handed sockets ends by itself; for others say ForwardTo=PORT");
    return read;
}

// The unit that listens for an app, from boot on, and starts the app's service when somebody comes; empty if the
// service needs none. `name`: of the app's own file.
std::string Translator::socket_unit(const App& app, const FileName& name, const std::string& path,
                                    const std::string& service)
{
    if (app.socket.empty())
        return "";
    const bool is_forwarded = !app.forwarding.port.empty();
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Sockets of {}", app.name));
    text.line("SourcePath", path);
    text.section("Socket");
    bool is_named = is_forwarded;
    for (const auto& entry : app.socket) {
        if (std::ranges::find(own_keys, std::string_view{entry.key}) != own_keys.end())
            continue;
        if (entry.key == "Service")
            refuse(entry, "the sockets of an app start its own service");
        if (entry.key == "Accept" && bool_value(entry))
            refuse(entry, "an app gets sockets that it accepts connections from");
        if (is_forwarded)
            check_forwarded(entry);
        is_named = is_named || entry.key == "FileDescriptorName";
        text.line(entry.key, entry.value);
    }
    if (!is_named)
        text.line("FileDescriptorName", app.name); // by which the pod knows whose they are
    if (is_forwarded)
        text.line("Service", name.service_of_instance("-proxy"));
    else if (service != name.service()) // which is the default, also of each instance
        text.line("Service", service);
    const auto unit = fmt::format("{}{}.socket", name.stem, name.is_template ? "@" : "");
    add({unit, path, text.take(path), false, {"sockets.target.wants/" + unit}}, path);
    if (is_forwarded)
        return "";
    return name.is_template ? name.stem + "@%i.socket" : unit;
}

// The service between the sockets and the pod, which is there as long as this one is. `globals`: of `rocket`.
void Translator::proxy_unit(const App& app, const FileName& name, const std::string& path, const std::string& service,
                            const std::vector<std::string>& globals)
{
    const auto stem = service.substr(0, service.rfind('.'));
    const auto instance = stem.ends_with('@') ? stem + "%i" : stem;
    UnitText text;
    text.section("Unit");
    text.line("Description", fmt::format("Connections of {}", app.name));
    text.line("SourcePath", path);
    text.line("BindsTo", instance + ".service");
    text.line("After", instance + ".service");
    text.line("StartLimitIntervalSec", "0"); // the socket has a limit of its own
    text.section("Service");
    text.line("Type", "notify");
    for (const auto& [key, value] : confinement)
        text.line(key, value);
    auto words = globals;
    words.insert(words.end(), {"forward", fmt::format("--uuid-file=%t/rocket-{}.uuid", instance)});
    if (!app.forwarding.idle.empty())
        words.push_back("--exit-idle-time=" + app.forwarding.idle);
    words.push_back(app.forwarding.port);
    text.line("ExecStart", join_words(words));
    add({name.service("-proxy"), path, text.take(path), false, {}}, path);
}

} // namespace rocket::quadlet

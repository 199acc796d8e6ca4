// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/confinement.hh"

#include <sys/stat.h>

#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "common/model/json_object.hh"
#include "common/sys/cgroup.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

namespace json = model::json;
namespace pod_dir = model::pod_dir;

// linux/capability.h, by number
constexpr const char* capabilities[] = {"CHOWN",
                                        "DAC_OVERRIDE",
                                        "DAC_READ_SEARCH",
                                        "FOWNER",
                                        "FSETID",
                                        "KILL",
                                        "SETGID",
                                        "SETUID",
                                        "SETPCAP",
                                        "LINUX_IMMUTABLE",
                                        "NET_BIND_SERVICE",
                                        "NET_BROADCAST",
                                        "NET_ADMIN",
                                        "NET_RAW",
                                        "IPC_LOCK",
                                        "IPC_OWNER",
                                        "SYS_MODULE",
                                        "SYS_RAWIO",
                                        "SYS_CHROOT",
                                        "SYS_PTRACE",
                                        "SYS_PACCT",
                                        "SYS_ADMIN",
                                        "SYS_BOOT",
                                        "SYS_NICE",
                                        "SYS_RESOURCE",
                                        "SYS_TIME",
                                        "SYS_TTY_CONFIG",
                                        "MKNOD",
                                        "LEASE",
                                        "AUDIT_WRITE",
                                        "AUDIT_CONTROL",
                                        "SETFCAP",
                                        "MAC_OVERRIDE",
                                        "MAC_ADMIN",
                                        "SYSLOG",
                                        "WAKE_ALARM",
                                        "BLOCK_SUSPEND",
                                        "AUDIT_READ",
                                        "PERFMON",
                                        "BPF",
                                        "CHECKPOINT_RESTORE"};

// The limits that are compared: what stage1 writes down, and the control file that it becomes.
struct Limit {
    const char* record;
    const char* file;
};
constexpr Limit limits[] = {{"memoryMax", "memory.max"}, {"tasksMax", "pids.max"}, {"cpuWeight", "cpu.weight"}};

struct Namespace {
    const char* file;
    const char* name;
};
constexpr Namespace namespaces[] = {{"cgroup", "cgroup"}, {"ipc", "ipc"},   {"mnt", "mount"},    {"net", "network"},
                                    {"pid", "pid"},       {"user", "user"}, {"uts", "host name"}};

// "CapBnd:\t00000000a80425fb" and the like.
std::string status_field(const std::string& status, std::string_view name)
{
    for (const auto& line : text::split(status, '\n'))
        if (line.starts_with(std::string{name} + ':'))
            return std::string{text::trim(std::string_view{line}.substr(name.size() + 1))};
    return {};
}

std::uint64_t hexadecimal(const std::string& digits)
{
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
}

std::uint32_t first_number(const std::string& words)
{
    return text::parse_id(words.substr(0, words.find('\t'))).value_or(0);
}

std::string group_of(const Pod& pod, const model::AppName& app)
{
    const auto group = file::read_if_exists(pod.fd(), pod_dir::subcgroup, 4096);
    return group ? fmt::format("{}/system.slice/app-{}.service", text::trim(*group), app.str()) : std::string{};
}

bool is_own(pid_t pid, const char* file)
{
    struct stat other {
    }, ours{};
    return ::stat(fmt::format("/proc/{}/ns/{}", pid, file).c_str(), &other) == 0 &&
           ::stat(fmt::format("/proc/self/ns/{}", file).c_str(), &ours) == 0 && other.st_ino != ours.st_ino;
}

// user_namespaces(7): lines of "INSIDE OUTSIDE COUNT", as we see what is outside. An id that is not there stays.
std::uint32_t mapped(std::uint32_t id, pid_t process, const char* file)
{
    const auto map = file::read_if_exists(AT_FDCWD, fmt::format("/proc/{}/{}", process, file), 1U << 16U);
    for (const auto& line : text::split(map.value_or(""), '\n')) {
        std::istringstream numbers{line};
        std::uint64_t inside = 0, outside = 0, count = 0;
        if (numbers >> inside >> outside >> count && id >= inside && id - inside < count)
            return static_cast<std::uint32_t>(outside + (id - inside));
    }
    return id;
}

std::string yes_or_no(bool value)
{
    return value ? "yes" : "no";
}

} // namespace

std::optional<Confinement> intended(const Pod& pod, const model::AppName& app)
{
    const auto text = file::read_if_exists(pod.fd(), pod_dir::app_spec(app));
    if (!text)
        return std::nullopt;
    const auto value = json::parse(*text, "app specification");
    json::Fields fields{json::Cursor{value, "spec"}};
    const auto number = [](json::Fields& of, std::string_view name) {
        return static_cast<std::uint64_t>(of.required(name).integer(0, INT64_MAX));
    };
    const auto first = static_cast<std::uint32_t>(number(fields, "firstId"));
    Confinement result{.uid = first + static_cast<std::uint32_t>(number(fields, "uid")),
                       .gid = first + static_cast<std::uint32_t>(number(fields, "gid")),
                       .bounding_set = number(fields, "boundingSet"),
                       .ambient_set = number(fields, "ambientSet"),
                       .no_new_privileges = fields.required("noNewPrivileges").boolean()};
    json::Fields seccomp{fields.required("seccomp")};
    result.has_filter = seccomp.required("mode").text() != "off";
    json::Fields resources{fields.required("resources")};
    for (const auto& limit : limits)
        if (const auto set = resources.optional(limit.record))
            result.limits[limit.file] = fmt::format("{}", set->integer(0, INT64_MAX));
    return result;
}

Confinement as_host_counts(Confinement confinement, pid_t supervisor)
{
    confinement.uid = mapped(confinement.uid, supervisor, "uid_map");
    confinement.gid = mapped(confinement.gid, supervisor, "gid_map");
    return confinement;
}

std::optional<Running> running(const Pod& pod, const model::AppName& app)
{
    const auto group = group_of(pod, app);
    const auto processes = group.empty() ? std::vector<pid_t>{} : cgroup::processes(group);
    if (processes.empty())
        return std::nullopt;
    Running result{.pid = processes.front(), .confinement = {}};
    const auto status = file::read_if_exists(AT_FDCWD, fmt::format("/proc/{}/status", result.pid), 1U << 16U);
    if (!status)
        return std::nullopt;
    result.effective_set = hexadecimal(status_field(*status, "CapEff"));
    result.confinement = {.uid = first_number(status_field(*status, "Uid")),
                          .gid = first_number(status_field(*status, "Gid")),
                          .bounding_set = hexadecimal(status_field(*status, "CapBnd")),
                          .ambient_set = hexadecimal(status_field(*status, "CapAmb")),
                          .no_new_privileges = status_field(*status, "NoNewPrivs") == "1",
                          .has_filter = status_field(*status, "Seccomp") == "2"};
    for (const auto& limit : limits)
        if (const auto value = cgroup::get(group, limit.file))
            result.confinement.limits[limit.file] = std::string{text::trim(*value)};
    for (const auto& one : namespaces)
        result.own_namespaces[one.name] = is_own(result.pid, one.file);
    return result;
}

std::vector<std::string> differences(const Confinement& wanted, const Running& found)
{
    std::vector<std::string> all;
    const auto& real = found.confinement;
    const auto compare = [&](bool same, std::string_view what, const std::string& meant, const std::string& is) {
        if (!same)
            all.push_back(fmt::format("{}: meant to be {}, but is {}", what, meant, is));
    };
    compare(wanted.uid == real.uid, "user", fmt::to_string(wanted.uid), fmt::to_string(real.uid));
    compare(wanted.gid == real.gid, "group", fmt::to_string(wanted.gid), fmt::to_string(real.gid));
    compare(wanted.bounding_set == real.bounding_set, "capability bounding set", capability_names(wanted.bounding_set),
            capability_names(real.bounding_set));
    compare(wanted.ambient_set == real.ambient_set, "ambient capabilities", capability_names(wanted.ambient_set),
            capability_names(real.ambient_set));
    compare(wanted.no_new_privileges == real.no_new_privileges, "no new privileges",
            yes_or_no(wanted.no_new_privileges), yes_or_no(real.no_new_privileges));
    compare(wanted.has_filter == real.has_filter, "filter of system calls", yes_or_no(wanted.has_filter),
            yes_or_no(real.has_filter));
    for (const auto& [name, value] : wanted.limits) {
        const auto set = real.limits.find(name);
        compare(set != real.limits.end() && set->second == value, name, value,
                set != real.limits.end() ? set->second : "not there: the pod's cgroup has no such controller");
    }
    return all;
}

std::string capability_names(std::uint64_t set)
{
    std::vector<std::string> names;
    for (std::size_t number = 0; number < 64; ++number)
        if ((set >> number & 1U) != 0)
            names.push_back(number < std::size(capabilities) ? std::string{"CAP_"} + capabilities[number]
                                                             : fmt::format("capability {}", number));
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, " "));
}

} // namespace rocket::pod

// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/target.hh"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "common/model/layout.hh"
#include "common/sys/cgroup.hh"
#include "common/sys/file.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

std::string app_cgroup(pid_t init, const model::AppName& app)
{
    const auto group = cgroup::of_process(init);
    constexpr std::string_view scope = "/init.scope"; // where systemd puts itself
    if (!group || !group->ends_with(scope))
        fail(Error::Kind::usage, "the pod's init is not ready yet, or has ended");
    return group->substr(0, group->size() - scope.size()) + "/system.slice/" + unit_name(app.str());
}

std::optional<std::string> status_field(pid_t pid, std::string_view name)
{
    const auto status = file::read_if_exists(AT_FDCWD, fmt::format("/proc/{}/status", pid), 65536);
    for (const auto& line : text::split(status.value_or(""), '\n'))
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':')
            return std::string{text::trim(std::string_view{line}.substr(name.size() + 1))};
    return std::nullopt;
}

// The oldest child of the pod's init in the group: what PID 1 executed. Others there are its descendants, whoever their
// parent is now.
std::optional<pid_t> main_process(const std::string& group, pid_t init)
{
    std::optional<pid_t> oldest;
    auto earliest = std::numeric_limits<unsigned long long>::max();
    for (const pid_t pid : cgroup::processes(group)) {
        const auto started = start_time(pid);
        if (!started || *started >= earliest || status_field(pid, "PPid") != fmt::to_string(init))
            continue;
        oldest = pid;
        earliest = *started;
    }
    return oldest;
}

bool share_namespace(pid_t a, pid_t b, const char* kind)
{
    const auto first = sys::stat_at(AT_FDCWD, fmt::format("/proc/{}/ns/{}", a, kind), 0);
    const auto second = sys::stat_at(AT_FDCWD, fmt::format("/proc/{}/ns/{}", b, kind), 0);
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

rlim_t parse_limit(std::string_view text)
{
    const auto number = text::parse_decimal(text::trim(text));
    return number ? static_cast<rlim_t>(*number) : RLIM_INFINITY; // "unlimited"
}

// From the table in /proc: prlimit(2) on another user's process wants CAP_SYS_RESOURCE. After its heading the table has
// a line per RLIMIT_*, in the order of their numbers: name, soft and hard limit in columns of 26, 21 and 21.
std::array<rlimit, RLIMIT_NLIMITS> limits_of(pid_t pid)
{
    std::array<rlimit, RLIMIT_NLIMITS> limits{};
    const auto lines = text::split(file::read(AT_FDCWD, fmt::format("/proc/{}/limits", pid), 65536), '\n');
    for (std::size_t resource = 0; resource < limits.size(); ++resource) {
        const auto line = resource + 1 < lines.size() ? std::string_view{lines[resource + 1]} : std::string_view{};
        if (line.size() < 67)
            fail(Error::Kind::system, "the limits of process {} are not readable", pid);
        limits[resource] = {parse_limit(line.substr(26, 21)), parse_limit(line.substr(47, 20))};
    }
    return limits;
}

int oom_score_of(pid_t pid)
{
    const auto text = file::read(AT_FDCWD, fmt::format("/proc/{}/oom_score_adj", pid), 64);
    return static_cast<int>(text::parse_signed(text::trim(text), -1000, 1000).value_or(0));
}

} // namespace

AppSpec read_spec(int pod, const model::AppName& app)
{
    const auto path = model::pod_dir::app_spec(app);
    const auto text = file::read_if_exists(pod, path);
    if (!text)
        fail(Error::Kind::usage, "app {} is not in the pod, or not started yet", text::quoted(app.str()));
    const auto info = sys::stat_at(pod, path);
    if (info.st_uid != 0 || (info.st_mode & 022U) != 0) // it is what confines us
        fail(Error::Kind::corrupt, "{} can be written by others than root", text::quoted(path));
    auto spec = app_spec_from_json(*text);
    if (spec.name != app.str())
        fail(Error::Kind::corrupt, "{} is about another app", text::quoted(path));
    return spec;
}

// The number could have been given to another process since it was written down.
void check_init(int pod, pid_t init)
{
    const auto recorded = file::read_if_exists(pod, model::pod_dir::pid1, 256);
    const auto words = text::split(text::trim(recorded.value_or("")), ' ');
    const auto started = start_time(init);
    const bool is_same =
        words[0] == fmt::to_string(init) && (words.size() < 2 || words[1] == fmt::to_string(started.value_or(0)));
    if (!started || !is_same)
        fail(Error::Kind::usage, "process {} is not the pod's any more: the pod has ended", init);
}

Target target_of(AppSpec spec, pid_t pid, Fd pidfd, const std::string& group)
{
    return {.spec = std::move(spec),
            .pid = pid,
            .pidfd = std::move(pidfd),
            .cgroup = cgroup::open(group),
            .root = InRoot{sys::open(AT_FDCWD, fmt::format("/proc/{}/root", pid), O_PATH | O_DIRECTORY)},
            .limits = limits_of(pid),
            .oom_score = oom_score_of(pid)};
}

Target find_target(int pod, const EnterOptions& options)
{
    check_init(pod, options.pod_init);
    auto spec = read_spec(pod, options.app);
    const auto group = app_cgroup(options.pod_init, options.app);
    const auto pid = main_process(group, options.pod_init);
    auto pidfd = pid ? open_pidfd(*pid) : std::nullopt;
    if (!pidfd)
        throw Error{Error::Kind::usage, fmt::format("app {} is not running", text::quoted(options.app.str())),
                    "an app that has ended cannot be entered, even while other apps of its pod go on"};
    auto target = target_of(std::move(spec), *pid, std::move(*pidfd), group);
    target.private_users = !share_namespace(::getpid(), options.pod_init, "user");
    for (const char* kind : {"user", "pid"}) // an app that could leave these takes nobody along
        if (!share_namespace(*pid, options.pod_init, kind))
            fail(Error::Kind::unsupported, "the main process of app {} has its own {} namespace",
                 text::quoted(options.app.str()), kind);
    // If the number changed hands since it was listed, it is not in the group, or the descriptor is of a dead process.
    if (cgroup::of_process(*pid) != group || main_process(group, options.pod_init) != *pid)
        fail(Error::Kind::usage, "app {} has just ended", text::quoted(options.app.str()));
    return target;
}

} // namespace rocket::stage1

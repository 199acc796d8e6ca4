// SPDX-License-Identifier: Apache-2.0
#include "common/sys/cgroup.hh"

#include <dirent.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::cgroup
{

namespace
{

bool is_unified(const char* path)
{
    struct statfs info {
    };
    return ::statfs(path, &info) == 0 && static_cast<unsigned long>(info.f_type) == CGROUP2_SUPER_MAGIC;
}

std::string path_of(const std::string& group)
{
    const auto mounted = mount_point();
    if (!mounted)
        throw Error{Error::Kind::unsupported, "the unified cgroup hierarchy is not mounted",
                    "mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"};
    return *mounted + (group == "/" ? "" : group);
}

// A file in a group's directory, or nullopt if the group is gone (also between open and read: ENODEV).
std::optional<std::string> read_if_there(const std::string& group, const char* name)
{
    try {
        return file::read_if_exists(AT_FDCWD, path_of(group) + '/' + name);
    } catch (const Error& error) {
        if (error.error_number() == ENODEV)
            return std::nullopt;
        throw;
    }
}

void write_to(const std::string& group, const char* name, const std::string& value)
{
    const auto fd = sys::open(AT_FDCWD, path_of(group) + '/' + name, O_WRONLY);
    with_context(fmt::format("writing {} to {} of cgroup {}", text::quoted(value), name, text::quoted(group)),
                 [&] { sys::write_all(fd.get(), value); });
}

std::vector<std::string> children(const std::string& group)
{
    std::vector<std::string> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir{::opendir(path_of(group).c_str()), ::closedir};
    if (!dir)
        return found;
    while (const auto* entry = ::readdir(dir.get())) {
        const std::string name = entry->d_name;
        if (entry->d_type == DT_DIR && name != "." && name != "..")
            found.push_back((group == "/" ? "" : group) + '/' + name);
    }
    return found;
}

// Waits for "populated 0" in cgroup.events, which the kernel announces by POLLPRI.
bool wait_until_empty(const std::string& group, int milliseconds)
{
    const auto deadline = sys::monotonic_usec() + milliseconds * 1000LL;
    const auto events = sys::open_if_exists(AT_FDCWD, path_of(group) + "/cgroup.events", O_RDONLY);
    if (!events)
        return true;
    for (;;) {
        if (!is_populated(group))
            return true;
        const auto left = (deadline - sys::monotonic_usec() + 999) / 1000;
        if (left <= 0)
            return false;
        pollfd changed{.fd = events->get(), .events = POLLPRI, .revents = 0};
        ::poll(&changed, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
        ::lseek(events->get(), 0, SEEK_SET);
        char ignored[256];
        [[maybe_unused]] const auto size = ::read(events->get(), ignored, sizeof ignored); // re-arms the poll
    }
}

void remove_groups(const std::string& group)
{
    for (const auto& child : children(group))
        remove_groups(child);
    ::rmdir(path_of(group).c_str()); // the caller looks whether it worked
}

} // namespace

std::optional<std::string> mount_point()
{
    for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
        if (is_unified(path))
            return path;
    return std::nullopt;
}

std::optional<std::string> of_process(pid_t pid)
{
    const auto path = pid == 0 ? std::string{"/proc/self/cgroup"} : fmt::format("/proc/{}/cgroup", pid);
    const auto content = file::read_if_exists(AT_FDCWD, path);
    if (!content)
        return std::nullopt;
    for (const auto& line : text::split(*content, '\n'))
        if (line.starts_with("0::"))
            return line.substr(3);
    return std::nullopt;
}

Fd open(const std::string& group)
{
    return sys::open(AT_FDCWD, path_of(group), O_RDONLY | O_DIRECTORY);
}

bool exists(const std::string& group)
{
    return sys::stat_if_exists(AT_FDCWD, path_of(group)).has_value();
}

void create(const std::string& group)
{
    sys::make_dir_if_missing(AT_FDCWD, path_of(group), 0755);
}

void move(const std::string& group, pid_t pid)
{
    write_to(group, "cgroup.procs", fmt::format("{}", pid));
}

void kill(const std::string& group)
{
    try {
        write_to(group, "cgroup.kill", "1");
    } catch (const Error& error) {
        if (error.kind() != Error::Kind::not_found && error.error_number() != ENODEV)
            throw;
    }
}

bool is_populated(const std::string& group)
{
    const auto events = read_if_there(group, "cgroup.events");
    return events && events->find("populated 1") != std::string::npos;
}

bool remove(const std::string& group, int milliseconds)
{
    if (!exists(group))
        return true;
    if (!wait_until_empty(group, milliseconds))
        return false;
    remove_groups(group);
    return !exists(group);
}

std::optional<std::string> get(const std::string& group, const std::string& file)
{
    return read_if_there(group, file.c_str());
}

bool set(const std::string& group, const std::string& file, const std::string& value)
{
    if (!sys::stat_if_exists(AT_FDCWD, path_of(group) + '/' + file))
        return false;
    write_to(group, file.c_str(), value);
    return true;
}

std::vector<pid_t> processes(const std::string& group)
{
    std::vector<pid_t> pids;
    for (const auto& line : text::split(read_if_there(group, "cgroup.procs").value_or(""), '\n'))
        if (const auto pid = text::parse_decimal(line, INT32_MAX))
            pids.push_back(static_cast<pid_t>(*pid));
    return pids;
}

std::vector<std::string> available_controllers(const std::string& group)
{
    auto names = text::split(text::trim(read_if_there(group, "cgroup.controllers").value_or("")), ' ');
    std::erase(names, "");
    return names;
}

void delegate(const std::string& group, uid_t uid, gid_t gid)
{
    const auto dir = open(group);
    for (const char* name : {".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"})
        sys::check([&] { return ::fchownat(dir.get(), name, uid, gid, AT_SYMLINK_NOFOLLOW); },
                   "giving {} of cgroup {} to the pod", name, text::quoted(group));
}

std::vector<std::string> enable_controllers(const std::string& group, const std::vector<std::string>& wanted)
{
    std::vector<std::string> missing;
    for (const auto& controller : wanted) {
        try {
            write_to(group, "cgroup.subtree_control", '+' + controller);
        } catch (const Error&) {
            missing.push_back(controller);
        }
    }
    return missing;
}

} // namespace rocket::cgroup

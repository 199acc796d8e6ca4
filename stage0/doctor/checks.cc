// SPDX-License-Identifier: Apache-2.0
#include "stage0/doctor/checks.hh"

#include <grp.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/sys/cgroup.hh"
#include "common/sys/file.hh"
#include "common/sys/libexec.hh"
#include "common/sys/path.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/net/catalog.hh"
#include "stage0/pod/overlay_support.hh"
#include "stage0/trust/keystore.hh"

namespace rocket::doctor
{

namespace
{

using text::quoted;

bool is_there(const std::string& path)
{
    return sys::stat_if_exists(AT_FDCWD, path, 0).has_value();
}

// The directory itself, or the nearest above it that is there.
std::string nearest(std::string path)
{
    while (path.size() > 1 && !is_there(path))
        path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    return path;
}

Finding kernel(const Places&)
{
    constexpr unsigned long oldest_major = 5, oldest_minor = 15;
    utsname name{};
    ::uname(&name);
    char* end = nullptr;
    const auto major = std::strtoul(name.release, &end, 10);
    const auto minor = *end == '.' ? std::strtoul(end + 1, nullptr, 10) : 0;
    const auto found = fmt::format("Linux {}", text::printable(name.release));
    if (major > oldest_major || (major == oldest_major && minor >= oldest_minor))
        return {State::fine, found};
    return {State::broken, found, fmt::format("Linux {}.{} or newer is needed", oldest_major, oldest_minor)};
}

Finding data_directory(const Places& places)
{
    const auto place = nearest(places.data);
    if (const auto info = sys::stat_if_exists(AT_FDCWD, place, 0); info && !S_ISDIR(info->st_mode))
        return {State::broken, fmt::format("{} is no directory", quoted(place)), "name another one with --dir"};
    struct statfs info {
    };
    sys::check([&] { return ::statfs(place.c_str(), &info); }, "looking at {}", quoted(place));
    const auto free_mib = static_cast<std::uint64_t>(info.f_bavail) * static_cast<std::uint64_t>(info.f_frsize) >> 20U;
    const auto found = fmt::format("{} has {} MiB free{}", quoted(places.data), free_mib,
                                   is_there(places.data) ? "" : ", and is not there yet");
    if ((static_cast<unsigned long>(info.f_flags) & ST_RDONLY) != 0)
        return {State::broken, found + ", on a read-only file system", "name another one with --dir or in paths.d"};
    constexpr std::uint64_t little_mib = 1024;
    if (free_mib < little_mib)
        return {State::lacking, found, "make room: rocket gc, rocket image gc"};
    if (info.f_type == TMPFS_MAGIC)
        return {State::lacking, found + ", in memory: images are fetched again after each boot",
                "put it on a disk: --dir, or paths.d"};
    return {State::fine, found};
}

Finding overlay(const Places& places)
{
    if (::geteuid() != 0)
        return {State::fine, "whether pods share the files of images is for root to find out"};
    if (const auto problem = pod::overlay_problem(nearest(places.data)))
        return {State::lacking, fmt::format("pods cannot share the files of images: {}", *problem),
                "put the data directory on a file system such as ext4, xfs or btrfs; until then each pod has a copy"};
    return {State::fine, "pods share the files of images"};
}

Finding cgroups(const Places&)
{
    if (!cgroup::mount_point())
        return {State::broken, "there is no unified cgroup hierarchy",
                "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2"};
    const auto present = cgroup::available_controllers("/");
    std::vector<std::string_view> missing;
    for (const std::string_view wanted : {"memory", "cpu", "pids", "io"})
        if (std::ranges::find(present, wanted) == present.end())
            missing.push_back(wanted);
    if (missing.empty())
        return {State::fine, "limits of memory, cpu, tasks and disks can be enforced"};
    return {State::lacking, fmt::format("limits are not enforced: no controller {}", fmt::join(missing, ", ")),
            "boot with systemd.unified_cgroup_hierarchy=1"};
}

Finding inotify(const Places&)
{
    constexpr std::uint64_t of_a_pod = 3, few = 1024;
    const auto text = file::read(AT_FDCWD, "/proc/sys/fs/inotify/max_user_instances");
    const auto instances = text::parse_decimal(text::trim(text)).value_or(0);
    const auto found = fmt::format("enough for {} pods at once", instances / of_a_pod);
    if (instances >= few)
        return {State::fine, found};
    return {State::lacking, found,
            "sysctl fs.inotify.max_user_instances=8192, or the file of sysctl.d that is installed"};
}

Finding user_namespaces(const Places&)
{
    const auto limit = file::read_if_exists(AT_FDCWD, "/proc/sys/user/max_user_namespaces");
    if (!is_there("/proc/self/ns/user") || (limit && text::trim(*limit) == "0"))
        return {State::broken, "there are no user namespaces: images are unpacked in one",
                "sysctl user.max_user_namespaces, or a kernel with CONFIG_USER_NS"};
    return {State::fine, "--private-users can be used"};
}

Finding landlock(const Places&)
{
    const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version >= 1)
        return {State::fine, fmt::format("what downloads and unpacks is confined by it, version {}", version)};
    return {State::lacking, "what downloads and unpacks is confined by everything else alone",
            "boot with lsm=landlock,..., or a kernel with CONFIG_SECURITY_LANDLOCK"};
}

Finding host_systemd(const Places&)
{
    if (!is_there("/run/systemd/system"))
        return {State::lacking, "this host is not run by systemd: pods are no machines, and nothing restarts them"};
    const bool has_machined =
        std::ranges::any_of(std::array{"/usr/lib/systemd/systemd-machined", "/lib/systemd/systemd-machined"}, is_there);
    if (!has_machined)
        return {State::lacking, "there is no systemd-machined: machinectl does not see pods",
                "install the package systemd-container"};
    return {State::fine, "pods are machines: machinectl, systemctl -M and journalctl -M see them"};
}

Finding stage1(const Places&)
{
    const auto place = libexec_path("stage1-images");
    const auto found = file::list_if_exists(AT_FDCWD, place);
    if (!found || found->empty())
        return {State::broken, fmt::format("there is no stage1 image in {}", quoted(place)),
                "build and install Rocket with -Dstage1-image=true, or name one with --stage1-path"};
    for (const auto& name : *found)
        if (!is_there(fmt::format("{}/{}/manifest", place, name)))
            return {State::broken,
                    fmt::format("the stage1 image {} in {} has no manifest", quoted(name), quoted(place)),
                    "install Rocket again"};
    return {State::fine, fmt::format("{} in {}", fmt::join(*found, ", "), quoted(place))};
}

Finding network(const Places& places)
{
    constexpr std::array<std::string_view, 4> needed{"ptp", "bridge", "host-local", "loopback"};
    const auto directories = net::plugin_directories(places.system_config, places.local_config);
    std::vector<std::string_view> missing;
    for (const auto name : needed)
        if (std::ranges::none_of(directories, [&](const auto& d) { return is_there(fmt::format("{}/{}", d, name)); }))
            missing.push_back(name);
    if (!missing.empty())
        return {State::lacking,
                fmt::format("only --net=none and --net=host work: no plugin {}", fmt::join(missing, ", ")),
                "install the package containernetworking-plugins"};
    const Fd netfilter{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)};
    if (!netfilter && !is_there("/usr/sbin/iptables"))
        return {State::lacking, "ports cannot be published: the kernel has no nftables and there is no iptables",
                "load the module nf_tables, or install the package iptables"};
    return {State::fine,
            fmt::format("pods have networks of their own, and ports by {}", netfilter ? "nftables" : "iptables")};
}

Finding groups(const Places&)
{
    std::vector<std::string_view> missing;
    for (const char* name : {"rocket", "rocket-admin"})
        if (::getgrnam(name) == nullptr)
            missing.emplace_back(name);
    if (missing.empty())
        return {State::fine, "members of rocket fetch images, members of rocket-admin trust keys"};
    return {State::lacking, fmt::format("only root can use Rocket: no group {}", fmt::join(missing, ", ")),
            "systemd-sysusers"};
}

Finding keys(const Places& places)
{
    std::size_t prefixes = 0;
    for (const auto& config : {places.system_config, places.local_config})
        prefixes += file::list_if_exists(AT_FDCWD, config + "/trustedkeys/prefix.d")
                        .value_or(std::vector<std::string>{})
                        .size();
    const auto everywhere =
        trust::Keystore{places.system_config, places.local_config}.keys_for(std::nullopt).keys.size();
    if (prefixes + everywhere == 0)
        return {State::lacking, "no key is trusted: signed images are refused", "rocket trust --prefix=NAME KEYFILE"};
    return {State::fine, fmt::format("keys for {} name prefixes, and {} for all images", prefixes, everywhere)};
}

} // namespace

std::string_view name_of(State state) noexcept
{
    switch (state) {
    case State::fine:
        return "fine";
    case State::lacking:
        return "lacking";
    case State::broken:
        break;
    }
    return "broken";
}

const std::vector<Check>& checks()
{
    static const std::vector<Check> all{
        {"kernel", "the kernel", kernel},
        {"stage1", "what pods are run by", stage1},
        {"data", "the data directory", data_directory},
        {"overlay", "overlayfs", overlay},
        {"cgroups", "control groups", cgroups},
        {"inotify", "inotify instances of root", inotify},
        {"users", "user namespaces", user_namespaces},
        {"landlock", "Landlock", landlock},
        {"systemd", "the host's systemd", host_systemd},
        {"network", "CNI plugins and the packet filter", network},
        {"groups", "groups of users", groups},
        {"keys", "keys that images are signed by", keys},
    };
    return all;
}

Finding look(const Check& check, const Places& places)
{
    try {
        return check.look(places);
    } catch (const Error& error) {
        return {State::broken, error.what(), error.hint()};
    }
}

} // namespace rocket::doctor

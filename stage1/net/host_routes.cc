// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/host_routes.hh"

#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/lock.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

std::string read_switch(const std::string& path)
{
    return std::string{text::trim(file::read_if_exists(AT_FDCWD, path, 64).value_or(""))};
}

void write_switch(const std::string& path, const char* value)
{
    if (const auto file = sys::open_if_exists(AT_FDCWD, path, O_WRONLY)) // an interface may be gone by now
        sys::write_all(file->get(), value);
}

std::string local_route_of(const std::string& interface)
{
    return "/proc/sys/net/ipv4/conf/" + interface + "/route_localnet";
}

// The users of an interface: one file each. Whoever counts or changes them holds the lock on the directory above.
Lock lock_users()
{
    sys::make_dirs(model::host_run::local_routes, 0755);
    return Lock::take(sys::open(AT_FDCWD, model::host_run::local_routes, O_RDONLY | O_DIRECTORY),
                      Lock::Mode::exclusive);
}

} // namespace

void keep_router_advertisements()
{
    const std::string all = "/proc/sys/net/ipv6/conf";
    if (read_switch(all + "/all/forwarding") != "0")
        return;
    for (const auto& interface : file::list_if_exists(AT_FDCWD, all).value_or(std::vector<std::string>{})) {
        const auto path = all + "/" + interface + "/accept_ra";
        if (interface != "all" && interface != "default" && interface != "lo" && read_switch(path) == "1")
            write_switch(path, "2");
    }
}

void route_loopback(const model::PodId& id, const std::vector<std::string>& interfaces)
{
    if (interfaces.empty())
        return;
    const auto lock = lock_users();
    for (const auto& interface : interfaces) {
        sys::make_dir_if_missing(lock.fd(), interface, 0755);
        const auto users = sys::open(lock.fd(), interface, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        file::write_volatile(users.get(), id.str(), "");
        write_switch(local_route_of(interface), "1");
    }
}

void unroute_loopback(const model::PodId& id, const std::vector<std::string>& interfaces)
{
    if (interfaces.empty())
        return;
    const auto lock = lock_users();
    for (const auto& interface : interfaces) {
        const auto users = sys::open_if_exists(lock.fd(), interface, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (!users)
            continue;
        sys::unlink_if_exists(users->get(), id.str());
        if (!file::list(users->get(), ".").empty())
            continue;
        write_switch(local_route_of(interface), "0");
        sys::unlink(lock.fd(), interface, AT_REMOVEDIR);
    }
}

bool is_bridge_port(const std::string& interface)
{
    return sys::stat_if_exists(AT_FDCWD, "/sys/class/net/" + interface + "/brport").has_value();
}

} // namespace rocket::stage1

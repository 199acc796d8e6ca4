// SPDX-License-Identifier: Apache-2.0
// systemd starts nothing as a user or group that its own /etc does not know, not even by number (status 217, 216).
#include <map>
#include <set>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t max_user_file = 64 * 1024;

// A file of the stage1 image, with more lines, over itself.
void extend_file(const Construction& pod, const std::string& path, const std::string& name, const std::string& lines)
{
    if (lines.empty())
        return;
    write_run_file(pod, name, pod.root.read_file(path, max_user_file).value_or("") + lines);
    mount::attach(clone_run_file(pod, name).get(), pod.root.open(path, O_PATH).get());
}

} // namespace

void introduce_users(Construction& pod)
{
    std::map<std::uint32_t, std::uint32_t> users; // to a group
    std::set<std::uint32_t> groups;
    for (const auto& spec : pod.specs) {
        users.emplace(spec.uid, spec.gid);
        groups.insert(spec.gid);
        groups.insert(spec.supplementary_gids.begin(), spec.supplementary_gids.end());
    }
    users.erase(0); // root is known everywhere
    groups.erase(0);
    std::string passwd, group; // the names are never used
    for (const auto& [uid, gid] : users)
        passwd += fmt::format("app-{0}:x:{0}:{1}::/:/\n", uid, gid);
    for (const auto gid : groups)
        group += fmt::format("app-{0}:x:{0}:\n", gid);
    extend_file(pod, "/etc/passwd", "passwd", passwd);
    extend_file(pod, "/etc/group", "group", group);
}

} // namespace rocket::stage1

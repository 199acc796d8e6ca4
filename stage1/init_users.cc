// SPDX-License-Identifier: Apache-2.0
// systemd starts nothing as a user or group that its own /etc does not know, not even by number (status 217, 216).
#include <linux/openat2.h>

#include <map>
#include <set>
#include <span>

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
    if (lines.empty() && !pod.plan.is_mutable)
        return;
    write_run_file(pod, name, pod.root.read_file(path, max_user_file).value_or("") + lines);
    mount::attach(clone_run_file(pod, name).get(), pod.root.open(path, O_PATH).get());
}

} // namespace

namespace
{

struct Lines { // the names are never used
    std::string passwd, group;
};

Lines lines_for(std::span<const AppSpec> specs)
{
    std::map<std::uint32_t, std::uint32_t> users; // to a group
    std::set<std::uint32_t> groups;
    for (const auto& spec : specs) {
        users.emplace(spec.uid, spec.gid);
        groups.insert(spec.gid);
        groups.insert(spec.supplementary_gids.begin(), spec.supplementary_gids.end());
    }
    users.erase(0); // root is known everywhere
    groups.erase(0);
    Lines lines;
    for (const auto& [uid, gid] : users)
        lines.passwd += fmt::format("app-{0}:x:{0}:{1}::/:/\n", uid, gid);
    for (const auto gid : groups)
        lines.group += fmt::format("app-{0}:x:{0}:\n", gid);
    return lines;
}

// In one piece, so that PID 1 never reads half a line. A line that is there already does no harm.
void append_to_run_file(int run, const char* name, const std::string& lines)
{
    if (lines.empty())
        return;
    const auto file = sys::open_resolved(run, fmt::format("rocket/{}", name), O_WRONLY | O_APPEND | O_NONBLOCK,
                                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (!S_ISREG(sys::stat(file.get()).st_mode))
        fail(Error::Kind::corrupt, "/run/rocket/{} of the pod is not what it was", name);
    sys::write_all(file.get(), lines);
}

} // namespace

void introduce_users(Construction& pod)
{
    const auto lines = lines_for(pod.specs);
    extend_file(pod, "/etc/passwd", "passwd", lines.passwd);
    extend_file(pod, "/etc/group", "group", lines.group);
}

void introduce_user(int run, const AppSpec& spec)
{
    const auto lines = lines_for({&spec, 1});
    append_to_run_file(run, "passwd", lines.passwd);
    append_to_run_file(run, "group", lines.group);
}

} // namespace rocket::stage1

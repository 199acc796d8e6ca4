// SPDX-License-Identifier: Apache-2.0
#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"

namespace rocket::stage1
{

void make_systemd_directories(const Construction& pod, const AppRoot& app, bool app_notifies)
{
    const auto run = own_directory(app.root, "run");
    const auto systemd = make_own_directory(run.get(), "systemd");
    // PID 1 would make these two itself, but cannot on a read-only root.
    make_own_directory(systemd.get(), "incoming");
    if (app_notifies && !sys::stat_if_exists(systemd.get(), "notify"))
        sys::open(systemd.get(), "notify", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);

    const auto journal = make_own_directory(systemd.get(), "journal");
    const auto sockets = mount::clone(sys::open(pod.run.fd(), "systemd/journal", O_PATH | O_NOFOLLOW).get(), false);
    mount::set_attributes(sockets.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, 0, false);
    mount::attach(sockets.get(), journal.get());
}

void link_to_journal(const AppRoot& app)
{
    sys::make_symlink("/run/systemd/journal/dev-log", app.dev.fd(), "log");
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/host_journal.hh"

#include <unistd.h>

#include <algorithm>

#include "common/model/layout.hh"
#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* host_journal = "/var/log/journal";

} // namespace

void share_journal_with_group(const Pod& pod)
{
    const auto group = sys::stat(pod.dir.get()).st_gid;
    sys::make_dir_if_missing(pod.dir.get(), model::pod_dir::journal, 0755);
    const auto journal = sys::open(pod.dir.get(), model::pod_dir::journal, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    sys::check([&] { return ::fchown(journal.get(), 0, group); }, "setting the group of the pod's journal");
    const mode_t mode = in_user_namespace() ? 0755 : 02755; // handed down, where there is a group to share it with
    sys::check([&] { return ::fchmod(journal.get(), mode); }, "setting the mode of the pod's journal");
}

std::string machine_id(const model::PodId& id)
{
    auto text = id.str();
    std::erase(text, '-');
    return text;
}

void link_into_host_journal(const Pod& pod)
{
    const auto directory = sys::open_if_exists(AT_FDCWD, host_journal, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!directory)
        return;
    const auto id = machine_id(pod.id);
    try {
        const auto target = fmt::format("{}/{}/{}", sys::read_link(AT_FDCWD, sys::proc_path(pod.dir.get())),
                                        model::pod_dir::journal, id);
        sys::unlink_if_exists(directory->get(), id); // of an earlier start of the same pod
        sys::make_symlink(target, directory->get(), id);
    } catch (const Error& error) {
        log::print("warning: the pod's journal is not part of the host's: {}", error.what());
    }
}

} // namespace rocket::stage1

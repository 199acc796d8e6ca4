// SPDX-License-Identifier: Apache-2.0
#include "stage1/leftovers.hh"

#include <sys/stat.h>

#include <algorithm>

#include "common/model/layout.hh"
#include "common/sys/cgroup.hh"
#include "common/sys/file.hh"
#include "common/sys/path.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr int patience_milliseconds = 5000;

std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
        text.replace(at, what.size(), with);
    return text;
}

// "/a/b" is below "/a" and not "/"; nothing with "..".
bool is_sane(const std::string& group)
{
    return group.starts_with('/') && group != "/" && clean_absolute(group) == group;
}

} // namespace

bool is_named_after(const std::string& group, const model::PodId& id)
{
    const auto last = group.substr(group.rfind('/') + 1);
    return last == "machine-rkt\\x2d" + replaced(id.str(), "-", "\\x2d") + ".scope";
}

void remove_cgroup(int pod_dir, const model::PodId& id)
{
    const auto recorded = file::read_if_exists(pod_dir, model::pod_dir::subcgroup, 4096);
    const std::string group{text::trim(recorded.value_or(""))};
    if (!is_sane(group) || !cgroup::exists(group))
        return;
    const auto own = cgroup::of_process(0);
    if (own && is_at_or_below(*own, group))
        return; // we would kill ourselves
    if (!is_named_after(group, id)) {
        if (!cgroup::is_populated(group))
            cgroup::remove(group, 0);
        return;
    }
    cgroup::kill(group);
    if (!cgroup::remove(group, patience_milliseconds))
        fail(Error::Kind::busy, "cgroup {} of the pod cannot be removed: a process in it does not end",
             text::quoted(group));
}

void remove_journal_link(const model::PodId& id, const std::string& host_journal)
{
    const auto directory = sys::open_if_exists(AT_FDCWD, host_journal, O_PATH | O_DIRECTORY);
    if (!directory)
        return;
    const auto name = replaced(id.str(), "-", "");
    const auto info = sys::stat_if_exists(directory->get(), name);
    if (info && S_ISLNK(info->st_mode))
        sys::unlink_if_exists(directory->get(), name);
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage0/users/handed_over.hh"

#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/lock.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "stage0/store/staging.hh"

namespace rocket::users
{

namespace
{

void discard_trees(const model::Layout& layout)
{
    const auto trees = sys::open_if_exists(AT_FDCWD, layout.trees(), O_RDONLY | O_DIRECTORY);
    if (!trees)
        return;
    for (const auto& name : file::list(trees->get(), "."))
        store::delete_garbage(layout, store::discard(layout, trees->get(), name));
    log::print("{} had another user before: the trees of its images are made again", layout.data());
}

} // namespace

void take_over(const std::string& data_dir)
{
    auto dir = sys::open_if_exists(AT_FDCWD, data_dir, O_RDONLY | O_DIRECTORY);
    if (!dir)
        return;
    const auto lock = Lock::take(std::move(*dir), Lock::Mode::exclusive);
    const auto ids = file::read(AT_FDCWD, "/proc/self/uid_map");
    const auto before = file::read_if_exists(lock.fd(), "ids");
    if (before == ids)
        return;
    if (before)
        discard_trees(model::Layout{data_dir});
    file::write_atomic(lock.fd(), "ids", ids, 0600); // killed before this, the trees go once more
}

} // namespace rocket::users

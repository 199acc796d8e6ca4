// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/staging.hh"

#include "common/sys/file.hh"
#include "common/sys/remove.hh"
#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

constexpr std::string_view garbage_prefix = "cas-"; // others put their own things into DATA/garbage

Fd open_dir(const std::string& path)
{
    return sys::open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

void remove_unlocked(int parent, const std::string& name)
{
    auto dir = sys::open_if_exists(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!dir)
        return;
    if (const auto lock = Lock::try_take(std::move(*dir), Lock::Mode::exclusive))
        remove_tree(parent, name);
}

// What belongs to somebody else is left to them, or to root.
void sweep(int parent, const std::string& name)
{
    try {
        remove_unlocked(parent, name);
    } catch (const Error&) {
        if (::geteuid() == 0)
            throw;
    }
}

} // namespace

Lock Staging::make(int parent, std::string& name)
{
    for (;;) {
        name = sys::random_name();
        sys::make_dir(parent, name, 0700);
        auto dir = sys::open_if_exists(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        auto lock = dir ? Lock::try_take(std::move(*dir), Lock::Mode::exclusive) : std::nullopt;
        if (!lock) // swept between two lines of ours
            continue;
        const auto there = sys::stat_if_exists(parent, name);
        if (there && there->st_ino == sys::stat(lock->fd()).st_ino)
            return std::move(*lock);
    }
}

Staging::Staging(const model::Layout& layout)
    : parent_{open_dir(layout.store_tmp())}, name_{}, lock_{make(parent_.get(), name_)}
{
}

Staging::~Staging()
{
    try {
        remove_tree(parent_.get(), name_);
    } catch (const Error&) { // it is swept later
    }
}

std::string discard(const model::Layout& layout, int parent, const std::string& name)
{
    if (!sys::stat_if_exists(parent, name))
        return {};
    const auto garbage = open_dir(layout.garbage());
    auto new_name = std::string{garbage_prefix} + sys::random_name();
    try {
        sys::rename(parent, name, garbage.get(), new_name);
    } catch (const Error& error) {
        if (::geteuid() == 0 || error.error_number() != EACCES)
            throw;
        sys::rename(parent, name, parent, new_name); // a directory that root made: root sweeps it
        new_name.clear();
    }
    sys::fsync(garbage.get());
    sys::fsync(parent);
    return new_name;
}

void delete_garbage(const model::Layout& layout, const std::string& name)
{
    if (!name.empty())
        sweep(open_dir(layout.garbage()).get(), name);
}

void sweep(const model::Layout& layout)
{
    const auto staging = open_dir(layout.store_tmp());
    for (const auto& name : file::list(staging.get(), "."))
        sweep(staging.get(), name);
    const auto garbage = open_dir(layout.garbage());
    for (const auto& name : file::list(garbage.get(), "."))
        if (name.starts_with(garbage_prefix))
            sweep(garbage.get(), name);
    const auto images = open_dir(layout.images());
    for (const auto& name : file::list(images.get(), "."))
        if (name.starts_with(garbage_prefix))
            sweep(images.get(), name);
}

} // namespace rocket::store

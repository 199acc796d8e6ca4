// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/directories.hh"

#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

void make(const std::string& path, mode_t mode)
{
    if (sys::make_dir_if_missing(AT_FDCWD, path, mode & 0777U))
        sys::check([&] { return ::chmod(path.c_str(), shared_mode(mode)); }, "setting the mode of {}",
                   text::quoted(path));
}

// Where only root may write when root uses it: whoever writes there decides what root runs (writer.hh).
void make_for_root(const std::string& path, mode_t mode)
{
    make(path, mode);
    if (::geteuid() != 0)
        return;
    const auto info = sys::stat_at(AT_FDCWD, path);
    if (info.st_uid != 0)
        throw Error{
            Error::Kind::untrusted,
            fmt::format("{} belongs to user {}, who could change what root runs", text::quoted(path), info.st_uid),
            "root needs a data directory of its own: see --dir"};
    constexpr mode_t others_write = 022;
    if ((info.st_mode & others_write) != 0)
        sys::check([&] { return ::chmod(path.c_str(), info.st_mode & 07777U & ~others_write); },
                   "setting the mode of {}", text::quoted(path));
}

} // namespace

mode_t shared_mode(mode_t mode)
{
    return in_user_namespace() ? mode & ~static_cast<mode_t>(S_ISGID) : mode;
}

void make_store_directories(const model::Layout& layout)
{
    const auto data = layout.data();
    if (const auto slash = data.rfind('/'); slash != 0 && slash != data.npos)
        sys::make_dirs(data.substr(0, slash), 0755);
    make(data, 02750);
    make_for_root(layout.cas(), 02750);
    for (const auto& path : {layout.images(), layout.store_tmp(), layout.members(), layout.garbage(), layout.locks()})
        make(path, 02770);
    make_for_root(layout.trees(), 02700);
    make_for_root(layout.layers(), 02750);
    make_for_root(layout.database_dir(), 02750);
}

void make_pod_directories(const model::Layout& layout)
{
    make_store_directories(layout);
    make(layout.pods(), 02750);
    for (const auto stage : model::pod_stages)
        make(layout.pods(stage), 02750);
}

} // namespace rocket::store

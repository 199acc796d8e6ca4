// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/directories.hh"

#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

void make(const std::string& path, mode_t mode)
{
    if (sys::make_dir_if_missing(AT_FDCWD, path, mode & 0777U))
        sys::check([&] { return ::chmod(path.c_str(), mode); }, "setting the mode of {}", text::quoted(path));
}

} // namespace

void make_store_directories(const model::Layout& layout)
{
    const auto data = layout.data();
    if (const auto slash = data.rfind('/'); slash != 0 && slash != data.npos)
        sys::make_dirs(data.substr(0, slash), 0755);
    make(data, 02750);
    for (const auto& path :
         {layout.cas(), layout.images(), layout.database_dir(), layout.store_tmp(), layout.garbage(), layout.locks()})
        make(path, 02770);
    make(layout.trees(), 02700);
    make(layout.layers(), 02770);
}

void make_pod_directories(const model::Layout& layout)
{
    make_store_directories(layout);
    make(layout.pods(), 02750);
    for (const auto stage : model::pod_stages)
        make(layout.pods(stage), 02750);
}

} // namespace rocket::store

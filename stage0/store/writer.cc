// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/writer.hh"

#include "common/sys/sys.hh"

namespace rocket::store
{

std::optional<std::string> other_writer(int dir)
{
    if (::geteuid() != 0)
        return std::nullopt;
    const auto info = sys::stat(dir);
    if (info.st_uid != 0)
        return fmt::format("user {}", info.st_uid);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fmt::format("members of group {}", info.st_gid);
    return std::nullopt;
}

} // namespace rocket::store

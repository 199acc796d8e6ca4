// SPDX-License-Identifier: Apache-2.0
#include "common/sys/tree_path.hh"

#include <linux/openat2.h>

#include "common/sys/sys.hh"

namespace rocket::tree_path
{

std::string parent_of(const std::string& path)
{
    const auto slash = path.rfind('/');
    return slash == path.npos ? std::string{} : path.substr(0, slash);
}

std::string last_of(const std::string& path)
{
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

Fd open_directory(int root, const std::string& path, int flags)
{
    return sys::open_resolved(root, path.empty() ? "." : path,
                              static_cast<std::uint64_t>(flags | O_DIRECTORY | O_NOFOLLOW),
                              RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

} // namespace rocket::tree_path

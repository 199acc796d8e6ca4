// SPDX-License-Identifier: Apache-2.0
#include "stage1/clones.hh"

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

Fd open_dir(int dir, const std::string& path)
{
    return sys::open(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Fd private_clone(int source, bool recursive, std::uint64_t attributes, const PrivateUsers* users)
{
    auto tree = mount::clone(source, recursive);
    mount::set_propagation(tree.get(), MS_PRIVATE, recursive); // a clone is a peer of what it was made of (VOL-17)
    if (users != nullptr)
        mount::set_id_mapping(tree.get(), users->users.get(), recursive, source);
    mount::set_attributes(tree.get(), attributes, 0, recursive);
    return tree;
}

Fd new_tmpfs(const char* size, const char* inodes, std::uint64_t attributes, const PrivateUsers* users)
{
    mount::NewFilesystem tmpfs{"tmpfs"};
    tmpfs.set("mode", "0755").set("size", size).set("nr_inodes", inodes);
    if (users != nullptr)
        tmpfs.set("uid", fmt::to_string(users->range.first)).set("gid", fmt::to_string(users->range.first));
    return tmpfs.create(attributes);
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
// Mounts through descriptors only (R5): a mount is made or cloned detached, gets its attributes, and is then attached
// onto a target descriptor. An unattached one vanishes with its Fd, so there is nothing to undo.
// See fsopen(2), open_tree(2), mount_setattr(2), move_mount(2).
#pragma once

#include <sys/mount.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "common/sys/fd.hh"

namespace rocket::mount
{

// Configures and makes one new file system: NewFilesystem{"tmpfs"}.set("size", "64m").create(MOUNT_ATTR_NODEV)
class NewFilesystem
{
public:
    explicit NewFilesystem(const std::string& type);
    NewFilesystem& set(const std::string& key, const std::string& value);
    NewFilesystem& set_fd(const std::string& key, int fd); // e.g. overlay's layers, by descriptor
    NewFilesystem& flag(const std::string& key);
    bool try_set_fd(const std::string& key, int fd); // false if this kernel does not know the key
    Fd create(std::uint64_t attributes = 0);         // MOUNT_ATTR_*

private:
    [[noreturn]] void fail_with(int error_number, const std::string& doing) const;

    std::string type_;
    Fd context_;
};

// A detached copy of what is mounted at `source` (O_PATH descriptor of a directory or file).
Fd clone(int source, bool recursive);
void set_attributes(int tree, std::uint64_t set, std::uint64_t clear, bool recursive);
// The tree's files appear with other owners: id N of theirs is what N is outside the user namespace `users`. See
// "ID-mapped mounts" in mount_setattr(2). Kind::unsupported, with its type, where a file system cannot do that;
// `source` is what the tree is a clone of.
void set_id_mapping(int tree, int users, bool recursive, int source);
void set_propagation(int tree, std::uint64_t propagation, bool recursive); // MS_PRIVATE, MS_SLAVE ...
// Attaches a detached mount onto the place `target` stands for.
void attach(int tree, int target);
std::string type_at(int place); // of the file system: "ext4", "fuse.sshfs"; "unknown" where mountinfo does not say
// Detaches whatever is mounted on top at this place; for undoing within a mount namespace of our own.
void detach(const std::string& path);

} // namespace rocket::mount

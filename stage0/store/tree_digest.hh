// SPDX-License-Identifier: Apache-2.0
// The digest of a file tree: SHA-256 over every path in path order with what is there: type, mode, owner, mtime
// (seconds), size, link target, device number, extended attributes, content, and which paths are one inode.
// The same definition serves the extractor, which knows archive members, and the walk over what is on disk.
// Not covered: access and change times, the host's security labels (security.* other than capability).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "stage0/store/hash.hh"

namespace rocket::store
{

struct Attributes {
    mode_t mode = 0755; // permission bits, with setuid, setgid and sticky
    uid_t uid = 0;
    gid_t gid = 0;
    std::int64_t mtime = 0; // seconds
    std::uint32_t mtime_nsec = 0;
    std::map<std::string, std::string> xattrs = {};
};

// A directory that no archive had an entry for, only something below it: 0755 root:root (REN-6). It is marked by its
// time, so that it can be told from one that was meant to look like that: laid over another directory, it changes
// nothing. The digest does not look at nanoseconds.
Attributes implied_directory();
bool is_implied_directory(const struct stat& info) noexcept;

struct Inode {
    char type = 'f'; // f file, d directory, l symbolic link, p FIFO, c and b devices
    Attributes attributes = {};
    std::uint64_t size = 0;  // of a file
    dev_t device = 0;        // of a device
    std::string target = {}; // of a symbolic link
    Sha256 content = {};     // of a file
};

Sha256 digest_of(const Inode& inode);

// How overlayfs knows a directory that hides what is below it. No image may set it; in the tree of a layer it is ours.
inline constexpr const char* opaque_xattr = "trusted.overlay.opaque";

// Extended attributes that are part of an image; the others belong to the host.
bool is_image_xattr(std::string_view name) noexcept;

// The order of a walk that visits names bytewise and a directory before its content: "a" < "a/b" < "a-b".
struct PathOrder {
    bool operator()(std::string_view left, std::string_view right) const noexcept;
};

// To be fed in PathOrder, beginning with "", the root directory. A path that is the same inode as an earlier one
// is given as a link to the first of them.
class TreeDigest
{
public:
    void add(std::string_view path, const Sha256& inode);
    void add_link(std::string_view path, std::string_view first);
    Sha256 finish() { return hasher_.finish(); }

private:
    Sha256Hasher hasher_;
};

} // namespace rocket::store

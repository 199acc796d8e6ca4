// SPDX-License-Identifier: Apache-2.0
// InRoot: a directory tree whose content is not ours (an image, a pod's root). Every path in it is resolved by the
// kernel inside that root (openat2 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, R3): "/" and ".." and links of any kind
// stay inside, and /proc/self/root leads nowhere. There is no way to get a joined string out of it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/sys/fd.hh"

namespace rocket
{

class InRoot
{
public:
    explicit InRoot(Fd root) : root_{std::move(root)} {}
    static InRoot at(int dir, const std::string& path); // a path we trust, opened without following its last link

    int fd() const noexcept { return root_.get(); }

    // flags as open(2); O_PATH is the usual way to hold a place. Links are followed, inside the root.
    Fd open(const std::string& path, int flags) const;
    std::optional<Fd> open_if_exists(const std::string& path, int flags) const;
    // The content of a regular file; nullopt if there is none or it is anything else (a FIFO or a device is never
    // waited for). Kind::corrupt if it is larger than `limit`.
    std::optional<std::string> read_file(const std::string& path, std::size_t limit) const;

    // The directory at `path`, with missing parents, each 0755 root:root (VOL-10), also where a link points to nothing
    // yet: Debian's /var/lock -> /run/lock. What is in the way and neither directory nor link is an error.
    Fd make_dirs(const std::string& path) const;
    // An existing or new empty regular file at `path`, with parents; for bind mounts of single files (VOL-16).
    Fd make_file(const std::string& path) const;

private:
    Fd make_dirs(const std::string& path, int& links) const;
    Fd make_file(const std::string& path, int& links) const;

    Fd root_;
};

// "a//b/./c/" -> "/a/b/c"; ".." is resolved lexically and never leaves "/". For comparing, not for opening.
std::string clean_absolute(const std::string& path);
bool is_at_or_below(const std::string& path, const std::string& ancestor); // both cleaned

} // namespace rocket

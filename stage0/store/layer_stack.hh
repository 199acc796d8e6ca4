// SPDX-License-Identifier: Apache-2.0
// Several trees seen as the one that overlayfs makes of them, without mounting anything: white-outs and opaque
// directories are honoured. By descriptors only; no link is followed but where it says so, and then inside the stack.
// The trees are our own: nobody else changes them. Errors: Kind::system.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hh"

namespace rocket::store
{

// A directory of the stack: where it is in each tree that contributes, the topmost first. Never empty.
struct MergedDir {
    struct Part {
        std::size_t tree; // 0 is the topmost
        Fd dir;
    };
    std::vector<Part> parts;
};

struct MergedEntry {
    struct stat info {
    };
    std::size_t tree = 0;                      // that decides
    std::shared_ptr<MergedDir> directory = {}; // if it is one
    int parent = -1;                           // a descriptor of the directory that was asked, for anything else
};

class LayerStack
{
public:
    explicit LayerStack(std::vector<Fd> trees); // the topmost first
    static LayerStack open(const std::vector<std::string>& trees);

    std::shared_ptr<MergedDir> root() const;
    std::size_t size() const noexcept { return trees_.size(); }
    int tree(std::size_t index) const noexcept { return trees_[index].get(); }

    // A clean relative path, no link followed.
    std::optional<MergedEntry> find(const std::string& path) const;
    // A path as it is meant in the image: links are followed inside the stack. The clean path without links that it
    // leads to, whether or not the last part is there.
    std::string resolve(const std::string& path) const;
    // The content of a regular file, links followed; nullopt if there is none, or more than `limit`.
    std::optional<std::string> read_file(const std::string& path, std::size_t limit) const;

private:
    std::vector<Fd> trees_;
};

std::optional<MergedEntry> find_in(const MergedDir& directory, const std::string& name);
std::vector<std::string> names_in(const MergedDir& directory); // in byte order, what is hidden left out

bool is_whiteout(const struct stat& info) noexcept;
// By the mark of overlayfs, which only root can make; or by a file of that name, which no layer can bring, in trees
// that members of the group only look at.
bool is_opaque(int dir) noexcept;
inline constexpr const char* opaque_file = ".wh..wh..opq";

} // namespace rocket::store

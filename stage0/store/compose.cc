// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/compose.hh"

#include <map>
#include <optional>
#include <set>

#include "common/sys/file.hh"
#include "common/sys/path.hh"
#include "common/sys/sys.hh"
#include "common/sys/tree_path.hh"
#include "stage0/store/copy_tree.hh"
#include "stage0/store/tree_digest.hh"

namespace rocket::store
{

namespace
{

using tree_path::last_of;
using tree_path::open_directory;
using tree_path::parent_of;

// Keeps the directory that was opened last: paths come in runs.
class DirCache
{
public:
    explicit DirCache(int root) : root_{root} {}
    int at(const std::string& path)
    {
        if (!dir_ || path != path_) {
            dir_ = open_directory(root_, path);
            path_ = path;
        }
        return dir_.get();
    }

private:
    int root_;
    std::string path_;
    Fd dir_;
};

// Where each path of the result comes from.
struct Node {
    std::size_t layer = 0;
    bool is_directory = false;
};
using Nodes = std::map<std::string, Node, PathOrder>;

class Composer
{
public:
    explicit Composer(const Composition& composition) : composition_{composition}, nodes_{} {}

    std::vector<std::string> run(int to)
    {
        for (std::size_t layer = 0; layer < composition_.layers.size(); ++layer)
            lay(layer, sys::open(composition_.layers[layer], ".", O_RDONLY | O_DIRECTORY), "");
        auto missing = filter();
        make(to);
        return missing;
    }

private:
    void lay(std::size_t layer, const Fd& dir, const std::string& path);
    void lay_directory(std::size_t layer, const std::string& path, bool is_implied);
    void lay_file(std::size_t layer, const std::string& path);
    void forget_below(const std::string& path);
    std::vector<std::string> filter();
    void make(int to);
    void count()
    {
        if (++entries_ > composition_.most_entries)
            fail(Error::Kind::corrupt, "an image and all it depends on have more than {} files (limit members)",
                 composition_.most_entries);
    }
    void tick() const
    {
        if (composition_.tick)
            composition_.tick();
    }

    const Composition& composition_;
    Nodes nodes_;
    std::uint64_t entries_ = 0;
};

void Composer::lay(std::size_t layer, const Fd& dir, const std::string& path)
{
    tick();
    lay_directory(layer, path, is_implied_directory(sys::stat(dir.get())));
    for (const auto& name : file::list(dir.get(), ".")) {
        const auto below = path.empty() ? name : path + "/" + name;
        if (S_ISDIR(sys::stat_at(dir.get(), name).st_mode)) // as deep as the extractor allowed, no deeper
            lay(layer, sys::open(dir.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), below);
        else
            lay_file(layer, below);
    }
}

// Over a directory it gives its attributes, unless it only was there as somebody's parent (REN-4, REN-6); anything
// else it replaces (REN-5).
void Composer::lay_directory(std::size_t layer, const std::string& path, bool is_implied)
{
    count();
    const auto [node, is_new] = nodes_.try_emplace(path, Node{.layer = layer, .is_directory = true});
    if (!is_new && (!node->second.is_directory || !is_implied))
        node->second = {.layer = layer, .is_directory = true};
}

void Composer::lay_file(std::size_t layer, const std::string& path)
{
    count();
    const auto [node, is_new] = nodes_.insert_or_assign(path, Node{.layer = layer, .is_directory = false});
    if (!is_new)
        forget_below(path);
}

void Composer::forget_below(const std::string& path)
{
    const auto prefix = path + "/";
    auto node = nodes_.upper_bound(path);
    while (node != nodes_.end() && node->first.starts_with(prefix))
        node = nodes_.erase(node);
}

// Exactly the listed paths and the directories they lie in stay (REN-8..13).
std::vector<std::string> Composer::filter()
{
    std::vector<std::string> missing;
    if (composition_.whitelist.empty())
        return missing;
    std::set<std::string, PathOrder> kept{""};
    for (const auto& entry : composition_.whitelist) {
        auto path = clean_absolute("/" + entry).substr(1);
        if (!nodes_.contains(path)) {
            missing.push_back(entry);
            continue;
        }
        while (kept.insert(path).second)
            path = parent_of(path);
    }
    std::erase_if(nodes_, [&](const auto& node) { return !kept.contains(node.first); });
    return missing;
}

void Composer::make(int to)
{
    std::vector<DirCache> sources{composition_.layers.begin(), composition_.layers.end()};
    DirCache target{to};
    for (const auto& [path, node] : nodes_) {
        if (path.empty())
            continue;
        const int parent = target.at(parent_of(path));
        if (node.is_directory)
            sys::make_dir(parent, last_of(path), 0700);
        else
            link_or_copy(sources[node.layer].at(parent_of(path)), last_of(path), parent, last_of(path));
        tick();
    }
    // Deepest first: making things in a directory changes its times.
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node)
        if (node->second.is_directory)
            copy_metadata(sources[node->second.layer].at(node->first), target.at(node->first));
}

} // namespace

std::vector<std::string> compose(const Composition& composition, int to)
{
    return Composer{composition}.run(to);
}

} // namespace rocket::store

// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/top_tree.hh"

#include <algorithm>
#include <map>
#include <set>

#include "common/sys/sys.hh"
#include "common/sys/tree_path.hh"
#include "stage0/store/copy_tree.hh"

namespace rocket::store
{

namespace
{

using tree_path::last_of;
using tree_path::open_directory;
using tree_path::parent_of;

std::vector<std::string> paths_of(const std::vector<LayerTree>& layers, std::size_t from)
{
    std::vector<std::string> paths;
    for (auto i = from; i < layers.size(); ++i)
        paths.push_back(layers[i].path);
    return paths;
}

class TopTree
{
public:
    TopTree(int into, const std::vector<LayerTree>& layers);
    void add_implied();
    void add_parents_of_whiteouts();
    void add_links();
    void add_working_directory(const std::string& path);
    void finish();

private:
    // A file of a lower layer that has further names in higher ones.
    struct Source {
        std::size_t tree;
        std::string path;
        auto operator<=>(const Source&) const = default;
    };
    enum class Seen { missing, directory, end };
    Seen look(std::size_t layer, const std::string& path, Fd& found) const;
    std::optional<Fd> stated_directory(const std::string& path) const;
    Fd make_directory(const std::string& path);
    bool hides(std::size_t layer, const std::string& path) const;
    std::map<std::string, Source> visible_links() const;
    Source source_of(std::size_t layer, const std::string& path, const std::string& target) const;
    void place(const Source& source, const std::string& path);

    int into_;
    const std::vector<LayerTree>& layers_;
    LayerStack stack_;
    std::vector<std::set<std::string>> implied_;
    std::map<std::string, int> made_;           // directories, in an order that has parents first
    std::map<Source, std::string> first_names_; // what was placed already, and where
    std::set<std::string> placed_;
};

TopTree::TopTree(int into, const std::vector<LayerTree>& layers)
    : into_{into}, layers_{layers}, stack_{LayerStack::open(paths_of(layers, 0))}
{
    for (const auto& layer : layers_)
        implied_.emplace_back(layer.seams.implied.begin(), layer.seams.implied.end());
    made_[""];
}

// What one layer has at `path`; end: it hides whatever lower layers have there.
TopTree::Seen TopTree::look(std::size_t layer, const std::string& path, Fd& found) const
{
    found = sys::open(stack_.tree(layer), ".", O_RDONLY | O_DIRECTORY);
    if (path.empty())
        return Seen::directory;
    for (const auto& part : text::split(path, '/')) {
        const auto info = sys::stat_if_exists(found.get(), part);
        if (!info)
            return is_opaque(found.get()) ? Seen::end : Seen::missing;
        if (!S_ISDIR(info->st_mode))
            return Seen::end;
        found = sys::open(found.get(), part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    }
    return Seen::directory;
}

// Whose attributes a directory has: those of the topmost layer with an entry for it, even if only an opaque marker
// speaks of it further up.
std::optional<Fd> TopTree::stated_directory(const std::string& path) const
{
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        Fd found;
        const auto seen = look(i, path, found);
        if (seen == Seen::end)
            return std::nullopt;
        if (seen == Seen::directory && !implied_[i].contains(path))
            return found;
    }
    return std::nullopt;
}

Fd TopTree::make_directory(const std::string& path)
{
    if (made_.try_emplace(path).second) {
        const auto parent = make_directory(parent_of(path));
        sys::make_dir_if_missing(parent.get(), last_of(path), 0755);
    }
    return open_directory(into_, path);
}

void TopTree::add_implied()
{
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        if (layers_[i].seams.implied.size() <= 1) // the root alone: that is common, and finish()'s business
            continue;
        const auto below = i + 1 < layers_.size() ? std::optional{LayerStack::open(paths_of(layers_, i + 1))}
                                                  : std::optional<LayerStack>{};
        for (const auto& path : layers_[i].seams.implied) {
            if (path.empty() || !below)
                continue;
            const auto lower = below->find(path);
            if (lower && S_ISLNK(lower->info.st_mode))
                throw Error{Error::Kind::unsupported,
                            fmt::format("a layer has files below {}, which is a symbolic link in a layer below it",
                                        text::quoted(path)),
                            "the tool that made the image should write an entry for that directory"};
            const auto entry = stack_.find(path);
            if (entry && entry->directory && entry->tree == i && stated_directory(path))
                make_directory(path);
        }
    }
}

// overlayfs shows white-outs in a directory that only one layer has, so it gets a second one.
void TopTree::add_parents_of_whiteouts()
{
    for (const auto& layer : layers_)
        for (const auto& path : layer.seams.whiteouts) {
            const auto parent = stack_.find(parent_of(path));
            if (parent && parent->directory && parent->directory->parts.size() == 1)
                make_directory(parent_of(path));
        }
}

// Whether a layer has anything in the way of what lower layers have at `path`.
bool TopTree::hides(std::size_t layer, const std::string& path) const
{
    auto dir = sys::open(stack_.tree(layer), ".", O_RDONLY | O_DIRECTORY);
    const auto parts = text::split(path, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto info = sys::stat_if_exists(dir.get(), parts[i]);
        if (!info)
            return false;
        if (!S_ISDIR(info->st_mode) || i + 1 == parts.size())
            return true;
        dir = sys::open(dir.get(), parts[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (is_opaque(dir.get()))
            return true;
    }
    return true;
}

TopTree::Source TopTree::source_of(std::size_t layer, const std::string& path, const std::string& target) const
{
    const auto below = LayerStack::open(paths_of(layers_, layer + 1));
    const auto entry = below.size() > 0 ? below.find(target) : std::nullopt;
    if (!entry || entry->directory)
        fail(Error::Kind::corrupt, "{} is a hard link to {}, which is no file of an earlier layer", text::quoted(path),
             text::quoted(target));
    return {.tree = entry->tree + layer + 1, .path = target};
}

std::map<std::string, TopTree::Source> TopTree::visible_links() const
{
    std::map<std::string, Source> live;
    for (std::size_t i = layers_.size(); i-- > 0;) {
        const auto before = live; // what the links of this layer see
        std::erase_if(live, [&](const auto& link) { return hides(i, link.first); });
        for (const auto& [path, target] : layers_[i].seams.links) {
            const auto known = before.find(target);
            live.insert_or_assign(path, known != before.end() ? known->second : source_of(i, path, target));
        }
    }
    return live;
}

void TopTree::place(const Source& source, const std::string& path)
{
    if (!placed_.insert(path).second)
        return;
    const auto to = make_directory(parent_of(path));
    const auto [first, is_new] = first_names_.try_emplace(source, path);
    if (is_new) {
        const auto from = open_directory(stack_.tree(source.tree), parent_of(source.path));
        return copy_file(from.get(), last_of(source.path), to.get(), last_of(path));
    }
    const auto old = open_directory(into_, parent_of(first->second));
    const auto old_name = last_of(first->second), new_name = last_of(path);
    sys::check([&] { return ::linkat(old.get(), old_name.c_str(), to.get(), new_name.c_str(), 0); }, "linking {}",
               text::quoted(path));
}

void TopTree::add_links()
{
    for (const auto& [path, source] : visible_links()) {
        place(source, path);
        const auto now = stack_.find(source.path); // the old name as well, if it is still that file
        if (now && !now->directory && now->tree == source.tree)
            place(source, source.path);
    }
}

void TopTree::add_working_directory(const std::string& path)
{
    const auto place = stack_.resolve(path);
    for (auto above = place; !above.empty(); above = parent_of(above))
        if (const auto entry = stack_.find(above); entry && !entry->directory)
            return; // a file is in the way: the app will not start
    if (!stack_.find(place))
        make_directory(place);
}

void TopTree::finish()
{
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) { // making things below has changed the times
        const auto& path = made->first;
        const auto dir = open_directory(into_, path);
        if (const auto stated = stated_directory(path)) {
            copy_metadata(stated->get(), dir.get());
            continue;
        }
        const timespec epoch[2] = {};
        sys::check([&] { return ::fchmod(dir.get(), 0755); }, "setting the mode of {}", text::quoted(path));
        sys::check([&] { return ::futimens(dir.get(), epoch); }, "setting the times of {}", text::quoted(path));
    }
}

} // namespace

void build_top_tree(int into, const std::vector<LayerTree>& layers, const std::string& working_directory)
{
    TopTree tree{into, layers};
    tree.add_implied();
    tree.add_links();
    tree.add_parents_of_whiteouts();
    tree.add_working_directory(working_directory);
    tree.finish();
}

} // namespace rocket::store

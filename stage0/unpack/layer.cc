// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/layer.hh"

#include <archive_entry.h>
#include <sys/sysmacros.h>

#include <set>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "common/sys/tree_path.hh"
#include "stage0/unpack/member_name.hh"

namespace rocket::unpack
{

namespace
{

using tree_path::parent_of;

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view bookkeeping_prefix = ".wh..wh."; // of AUFS (OLYR-11)
constexpr std::string_view opaque_name = ".wh..wh..opq";

std::string joined(const std::string& directory, std::string_view name)
{
    return directory.empty() ? std::string{name} : directory + "/" + std::string{name};
}

// "a", "a/b" for "a/b/c".
std::vector<std::string> ancestors_of(const std::string& path)
{
    std::vector<std::string> found;
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
        found.push_back(path.substr(0, slash));
    return found;
}

class LayerExtraction
{
public:
    LayerExtraction(const Read& read, Fd root, const ExtractOptions& options)
        : options_{options}, reader_{read, options.limits, TarReader::Strictness::layer},
          writer_{std::move(root),
                  options.limits,
                  {.replace = true, .top = "", .fidelity = options.fidelity, .stand_ins = true}}
    {
    }

    Layer run();

private:
    using Member = TarReader::Member;
    void on_member(const Member& member);
    bool on_marker(const std::string& path);
    void on_hard_link(const std::string& path, const std::string& raw_target);
    void finish_opaque();
    void finish_whiteouts();
    void finish_links();
    bool has_own(const std::string& path) const { return writer_.holds(path) || seams_.links.contains(path); }
    bool is_taken_away(const std::string& path) const;
    bool is_hidden_by_ancestor(const std::string& path) const;

    const ExtractOptions& options_;
    TarReader reader_;
    TreeWriter writer_;
    Seams seams_;
    std::set<std::string> opaque_;
    std::set<std::string> whiteouts_;
};

Layer LayerExtraction::run()
{
    while (const auto member = reader_.next())
        on_member(*member);
    reader_.expect_end();
    finish_links();
    finish_opaque(); // markers count only now, so that their place in the tar does not matter (OLYR-9, OLYR-10)
    finish_whiteouts();
    seams_.implied = writer_.implied_directories();
    for (const auto& [path, node] : writer_.devices())
        seams_.devices[path] = {.type = node.type, .major = ::major(node.device), .minor = ::minor(node.device)};
    return {.tree = writer_.finish(), .seams = std::move(seams_)};
}

void LayerExtraction::on_member(const Member& member)
{
    const auto path = parse_layer_path(member.path, options_.limits);
    if (on_marker(path))
        return;
    if (path.empty() && (member.hard_link || ::archive_entry_filetype(member.entry) != AE_IFDIR))
        fail(Error::Kind::corrupt, "the root of the layer is not a directory");
    seams_.links.erase(path);
    if (member.hard_link)
        return on_hard_link(path, *member.hard_link);
    place_member(reader_, member, path, writer_, options_);
}

// Markers of what is gone are no files (OLYR-9..11); true if this was one.
bool LayerExtraction::on_marker(const std::string& path)
{
    const auto parts = text::split(path, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto& part = parts[i];
        const bool is_last = i + 1 == parts.size();
        if (!part.starts_with(whiteout_prefix))
            continue;
        const auto directory = is_last ? parent_of(path) : std::string{};
        const auto name = part.substr(whiteout_prefix.size());
        if (is_last && part == opaque_name)
            opaque_.insert(directory);
        else if (part.starts_with(bookkeeping_prefix))
            return true;
        else if (!is_last || name.empty() || name == "." || name == "..")
            fail(Error::Kind::corrupt, "{} is no proper white-out", text::quoted(path));
        else
            whiteouts_.insert(joined(directory, name));
        return true;
    }
    return false;
}

void LayerExtraction::on_hard_link(const std::string& path, const std::string& raw_target)
{
    std::string target;
    try {
        target = parse_layer_path(raw_target, options_.limits);
    } catch (const Error& error) {
        fail(Error::Kind::corrupt, "{} is a hard link, and {}", text::quoted(path), error.innermost());
    }
    if (writer_.holds(target))
        return writer_.hard_link(path, target);
    if (target.empty())
        fail(Error::Kind::corrupt, "{} is a hard link to the root", text::quoted(path));
    // Only the layers below can have it (OLYR-8).
    const auto link = seams_.links.find(target);
    const auto first = link != seams_.links.end() ? link->second : target;
    writer_.remove(path);
    writer_.imply_parents(path);
    seams_.links[path] = first;
    if (seams_.links.size() > options_.limits.members)
        fail(Error::Kind::corrupt, "the archive has more than {} members (limit members)", options_.limits.members);
}

bool LayerExtraction::is_hidden_by_ancestor(const std::string& path) const
{
    if (opaque_.contains(""))
        return true;
    for (const auto& ancestor : ancestors_of(path))
        if (opaque_.contains(ancestor) || whiteouts_.contains(ancestor) ||
            (writer_.holds(ancestor) && !writer_.holds_directory(ancestor)))
            return true;
    return false;
}

bool LayerExtraction::is_taken_away(const std::string& path) const
{
    return whiteouts_.contains(path) || is_hidden_by_ancestor(path);
}

void LayerExtraction::finish_links()
{
    std::erase_if(seams_.links, [&](const auto& link) { return writer_.holds(link.first); });
    for (const auto& [path, target] : seams_.links)
        if (is_taken_away(target))
            fail(Error::Kind::corrupt, "{} is a hard link to {}, which the same layer takes away", text::quoted(path),
                 text::quoted(target));
}

void LayerExtraction::finish_opaque()
{
    const auto mark = [&](const std::string& path) {
        writer_.mark_opaque(path);
        seams_.opaque.push_back(path);
    };
    for (const auto& path : whiteouts_)
        if (writer_.holds_directory(path)) { // the one below is gone, ours stays: it hides it
            opaque_.insert(path);
            writer_.state_directory(path); // nothing of it comes from below
        }
    for (const auto& path : opaque_)
        if (!writer_.holds(path) || writer_.holds_directory(path))
            mark(path);
}

void LayerExtraction::finish_whiteouts()
{
    for (const auto& path : whiteouts_) {
        if (has_own(path) || is_hidden_by_ancestor(path))
            continue;
        writer_.special(path, {.type = 'c', .attributes = {.mode = 0}, .device = 0});
        seams_.whiteouts.push_back(path);
    }
}

} // namespace

Layer extract_layer(const Read& read, Fd root, const ExtractOptions& options)
{
    return LayerExtraction{read, std::move(root), options}.run();
}

} // namespace rocket::unpack

// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/tree_writer.hh"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/sys/sys.hh"
#include "common/sys/tree_path.hh"
#include "stage0/store/set_ids.hh"

namespace rocket::unpack
{

namespace
{

using store::Attributes;
using tree_path::last_of;
using tree_path::parent_of;

std::array<timespec, 2> times_of(const Attributes& attributes)
{
    const timespec time{.tv_sec = attributes.mtime, .tv_nsec = attributes.mtime_nsec};
    return {time, time};
}

// What the writer makes is its own already: root's, unless it only writes for itself.
bool needs_owner(const Attributes& attributes)
{
    return attributes.uid != 0 || attributes.gid != 0;
}

// Can be born with its final mode: there is nothing that chown or a write would clear.
bool is_plain(const Attributes& attributes)
{
    return !needs_owner(attributes) && (attributes.mode & 07000U) == 0;
}

} // namespace

TreeWriter::TreeWriter(Fd root, const Limits& limits, Rules rules)
    : limits_{limits}, rules_{rules}, root_{std::move(root)}
{
    directories_.push_back(store::implied_directory()); // an implied root is 0755 root:root (REN-15)
    nodes_[""] = {.is_directory = true, .is_stated = false, .index = 0};
}

std::string TreeWriter::shown(const std::string& path) const
{
    return text::quoted(path.empty() ? "rootfs" : std::string{rules_.top} + path);
}

Fd TreeWriter::open_directory(const std::string& path, int flags) const
{
    return tree_path::open_directory(root_.get(), path, flags);
}

// The descriptor of the directory `path` is in; made where no entry made it (REN-6).
int TreeWriter::enter_parent(const std::string& path)
{
    auto parent = parent_of(path);
    if (parent == parent_path_ && (parent_ || parent.empty()))
        return parent_ ? parent_.get() : root_.get();
    for (std::size_t end = 0; end != parent.npos && !parent.empty();) {
        end = parent.find('/', end + 1);
        imply_directory(parent.substr(0, end));
    }
    if (root_)
        parent_ = open_directory(parent, O_RDONLY);
    parent_path_ = std::move(parent);
    return parent_.get();
}

void TreeWriter::imply_directory(const std::string& path)
{
    if (const auto known = nodes_.find(path); known != nodes_.end()) {
        if (!known->second.is_directory)
            fail(Error::Kind::corrupt, "the archive treats {} as a directory, which it is not", shown(path));
        return;
    }
    if (nodes_.size() > limits_.members)
        fail(Error::Kind::corrupt, "the archive has more than {} members (limit members)", limits_.members);
    if (root_) {
        sys::make_dir(open_directory(parent_of(path), O_PATH).get(), last_of(path), 0700);
    }
    nodes_[path] = {.is_directory = true, .is_stated = false, .index = directories_.size()};
    directories_.push_back(store::implied_directory());
}

void TreeWriter::claim(const std::string& path, Node node)
{
    if (!nodes_.emplace(path, node).second)
        fail(Error::Kind::corrupt, "the archive holds {} twice", shown(path));
}

// In a layer, whatever has the path already goes.
void TreeWriter::make_way(const std::string& path)
{
    if (path.empty())
        fail(Error::Kind::corrupt, "the root of the layer is not a directory");
    if (rules_.replace)
        remove(path);
}

bool TreeWriter::holds_directory(const std::string& path) const
{
    const auto node = nodes_.find(path);
    return node != nodes_.end() && node->second.is_directory;
}

void TreeWriter::remove(const std::string& path)
{
    const auto first = nodes_.find(path);
    if (first == nodes_.end())
        return;
    auto end = std::next(first);
    while (end != nodes_.end() && end->first.size() > path.size() && end->first.starts_with(path) &&
           end->first[path.size()] == '/')
        ++end;
    parent_.reset(); // may lie in what goes
    parent_path_.clear();
    for (auto node = end; root_ && node != first;) { // what is deepest comes last in the order
        --node;
        remove_from_disk(node->first, node->second.is_directory);
    }
    nodes_.erase(first, end);
}

void TreeWriter::remove_from_disk(const std::string& path, bool is_directory)
{
    sys::unlink(open_directory(parent_of(path), O_PATH).get(), last_of(path), is_directory ? AT_REMOVEDIR : 0);
}

void TreeWriter::mark_opaque(const std::string& path)
{
    if (!path.empty()) {
        enter_parent(path);
        imply_directory(path);
    }
    opaque_.push_back(path);
}

std::vector<std::string> TreeWriter::implied_directories() const
{
    std::vector<std::string> paths;
    for (const auto& [path, node] : nodes_)
        if (node.is_directory && !node.is_stated)
            paths.push_back(path);
    return paths;
}

void TreeWriter::directory(const std::string& path, const Attributes& attributes)
{
    if (!path.empty()) {
        if (rules_.replace && holds(path) && !holds_directory(path))
            remove(path);
        enter_parent(path);
        imply_directory(path);
    }
    auto& node = nodes_.at(path);
    if (std::exchange(node.is_stated, true) && !rules_.replace)
        fail(Error::Kind::corrupt, "the archive holds {} twice", shown(path));
    directories_[node.index] = attributes;
}

Attributes TreeWriter::to_write(const Attributes& attributes) const
{
    auto written = attributes;
    if (rules_.fidelity == Fidelity::exact)
        return written;
    written.uid = written.gid = 0; // see needs_owner()
    written.mode &= 0777U;
    if (rules_.fidelity == Fidelity::readable)
        written.mode |= 0700U;
    std::erase_if(written.xattrs, [](const auto& xattr) { return !xattr.first.starts_with("user."); });
    return written;
}

template <typename Change>
void TreeWriter::set_mode(Change&& change, mode_t mode, const std::string& path)
{
    bool left_out = false;
    sys::check([&] { return store::change_mode(change, mode, left_out); }, "setting the mode of {}", shown(path));
    if (left_out && lacks_set_ids_++ == 0)
        first_lacking_ = shown(path);
}

void TreeWriter::apply(int fd, const std::string& path, const Attributes& stated)
{
    const auto attributes = to_write(stated);
    if (needs_owner(attributes))
        sys::check([&] { return ::fchown(fd, attributes.uid, attributes.gid); }, "setting the owner of {}",
                   shown(path));
    if (!is_plain(attributes))
        set_mode([&](mode_t mode) { return ::fchmod(fd, mode); }, attributes.mode, path);
    for (const auto& xattr : attributes.xattrs)
        sys::check([&] { return ::fsetxattr(fd, xattr.first.c_str(), xattr.second.data(), xattr.second.size(), 0); },
                   "setting the extended attribute {} of {}", text::quoted(xattr.first), shown(path));
    const auto times = times_of(attributes);
    sys::check([&] { return ::futimens(fd, times.data()); }, "setting the times of {}", shown(path));
}

void TreeWriter::special(const std::string& path, const store::Inode& inode)
{
    make_way(path);
    const int parent = enter_parent(path);
    claim(path, {.index = inodes_.size()});
    if (!inode.attributes.xattrs.empty())
        fail(Error::Kind::corrupt, "{} has extended attributes, which only files and directories can have",
             shown(path));
    const bool is_device = inode.type == 'c' || inode.type == 'b';
    const bool has_stand_in = is_device && rules_.stand_ins && inode.device != 0;
    if (has_stand_in)
        devices_[inodes_.size()] = inode;
    inodes_.push_back(store::digest_of(inode));
    if (!root_)
        return;
    const auto name = last_of(path);
    const auto attributes = to_write(inode.attributes);
    if (inode.type == 'l') {
        sys::make_symlink(inode.target, parent, name);
    } else {
        const mode_t type = inode.type == 'p' ? S_IFIFO : inode.type == 'c' || has_stand_in ? S_IFCHR : S_IFBLK;
        const auto device = has_stand_in ? ::makedev(0, 0) : inode.device;
        sys::check([&] { return ::mknodat(parent, name.c_str(), type | 0600, device); }, "making {}", shown(path));
    }
    if (needs_owner(attributes))
        sys::check(
            [&] { return ::fchownat(parent, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW); },
            "setting the owner of {}", shown(path));
    if (inode.type != 'l') // no race: nobody else can reach this tree, and it is no link
        set_mode([&](mode_t mode) { return ::fchmodat(parent, name.c_str(), mode, 0); }, attributes.mode, path);
    const auto times = times_of(attributes);
    sys::check([&] { return ::utimensat(parent, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW); },
               "setting the times of {}", shown(path));
}

std::map<std::string, store::Inode> TreeWriter::devices() const
{
    std::map<std::string, store::Inode> found;
    for (const auto& [path, node] : nodes_)
        if (const auto device = devices_.find(node.index); !node.is_directory && device != devices_.end())
            found.emplace(path, device->second);
    return found;
}

void TreeWriter::hard_link(const std::string& path, const std::string& target)
{
    if (rules_.replace && path == target)
        return;
    make_way(path);
    const auto linked = nodes_.find(target);
    if (linked == nodes_.end() || linked->second.is_directory)
        fail(Error::Kind::corrupt, "{} is a hard link to {}, which is no earlier file of the archive", shown(path),
             shown(target));
    const auto node = linked->second;
    const int parent = enter_parent(path);
    claim(path, {.index = node.index});
    if (!root_)
        return;
    const auto target_parent = open_directory(parent_of(target), O_PATH);
    const auto from = last_of(target);
    const auto to = last_of(path);
    sys::check([&] { return ::linkat(target_parent.get(), from.c_str(), parent, to.c_str(), 0); }, "linking {}",
               shown(path));
}

void TreeWriter::begin_file(const std::string& path, const Attributes& attributes)
{
    make_way(path);
    const int parent = enter_parent(path);
    claim(path, {.index = inodes_.size()});
    inodes_.emplace_back();
    file_path_ = path;
    file_inode_ = {.type = 'f', .attributes = attributes};
    file_offset_ = 0;
    if (root_)
        file_ = sys::open(parent, last_of(path), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW,
                          is_plain(to_write(attributes)) ? to_write(attributes).mode : 0600);
}

void TreeWriter::hash_zeros(std::uint64_t count)
{
    static constexpr std::array<char, 65536> zeros{};
    for (; count > 0; count -= std::min<std::uint64_t>(count, zeros.size()))
        file_hash_.add({zeros.data(), std::min<std::uint64_t>(count, zeros.size())});
}

void TreeWriter::write(std::uint64_t offset, std::string_view bytes)
{
    if (offset < file_offset_)
        fail(Error::Kind::corrupt, "the content of {} overlaps itself", shown(file_path_));
    if (offset > limits_.unpacked_bytes || file_bytes_ + offset + bytes.size() > limits_.unpacked_bytes)
        fail(Error::Kind::corrupt, "the image's files are larger than {} bytes (limit unpacked-bytes)",
             limits_.unpacked_bytes);
    hash_zeros(offset - file_offset_);
    file_hash_.add(bytes);
    file_offset_ = offset + bytes.size();
    while (root_ && !bytes.empty()) {
        const auto written =
            sys::check([&] { return ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); },
                       "writing {}", shown(file_path_));
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
}

void TreeWriter::end_file(std::uint64_t size)
{
    if (size < file_offset_)
        fail(Error::Kind::corrupt, "the content of {} is longer than its size", shown(file_path_));
    if (size > file_offset_) {
        write(size, {}); // a hole at the end
        if (root_)
            sys::check([&] { return ::ftruncate(file_.get(), static_cast<off_t>(size)); }, "writing {}",
                       shown(file_path_));
    }
    file_bytes_ += size;
    file_inode_.size = size;
    file_inode_.content = file_hash_.finish();
    inodes_[nodes_.at(file_path_).index] = store::digest_of(file_inode_);
    if (root_)
        apply(file_.get(), file_path_, file_inode_.attributes);
    file_.reset();
}

void TreeWriter::finish_directories()
{
    // Deepest first: a directory's mode may forbid entering it, and making things in it changes its time.
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
        const auto& [path, what] = *node;
        if (!what.is_directory)
            continue;
        const auto dir = open_directory(path, O_RDONLY);
        const auto& attributes = directories_[what.index];
        apply(dir.get(), path, attributes);
        if (const auto written = to_write(attributes); is_plain(written)) // made 0700, to be filled
            sys::check([&] { return ::fchmod(dir.get(), written.mode); }, "setting the mode of {}", shown(path));
    }
}

TreeSummary TreeWriter::finish()
{
    parent_.reset();
    if (root_)
        finish_directories();
    for (const auto& path : opaque_)
        directories_[nodes_.at(path).index].xattrs[store::opaque_xattr] =
            std::string(1, 'y'); // not "y": g++ 12 warns wrongly
    store::TreeDigest digest;
    std::vector<std::string_view> first_path(inodes_.size());
    for (const auto& [path, node] : nodes_) {
        if (node.is_directory) {
            digest.add(path, store::digest_of({.type = 'd', .attributes = directories_[node.index]}));
        } else if (auto& first = first_path[node.index]; first.empty()) {
            first = path;
            digest.add(path, inodes_[node.index]);
        } else {
            digest.add_link(path, first);
        }
    }
    return {.digest = digest.finish(),
            .members = nodes_.size(),
            .file_bytes = file_bytes_,
            .lacks_set_ids = lacks_set_ids_,
            .first_lacking = first_lacking_};
}

} // namespace rocket::unpack

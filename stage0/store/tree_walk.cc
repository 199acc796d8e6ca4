// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/tree_walk.hh"

#include <sys/xattr.h>

#include <array>
#include <map>
#include <vector>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

constexpr std::size_t deepest = 300; // the extractor allows less

char type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    case S_IFCHR:
        return 'c';
    case S_IFBLK:
        return 'b';
    default:
        return 's';
    }
}

std::map<std::string, std::string> xattrs_of(int fd)
{
    std::string names(65536, '\0');
    const auto size = ::flistxattr(fd, names.data(), names.size());
    if (size < 0 && errno == ENOTSUP)
        return {};
    if (size < 0)
        throw system_error(errno, "listing extended attributes");
    names.resize(static_cast<std::size_t>(size));
    std::map<std::string, std::string> found;
    for (const auto& name : text::split(names, '\0')) {
        if (!is_image_xattr(name) && name != opaque_xattr)
            continue;
        std::string value(65536, '\0');
        const auto length = sys::check([&] { return ::fgetxattr(fd, name.c_str(), value.data(), value.size()); },
                                       "reading extended attribute {}", text::quoted(name));
        found[name] = value.substr(0, static_cast<std::size_t>(length));
    }
    return found;
}

Attributes attributes_from(const struct stat& info)
{
    return {.mode = info.st_mode & 07777U, .uid = info.st_uid, .gid = info.st_gid, .mtime = info.st_mtim.tv_sec};
}

class Walk
{
public:
    explicit Walk(const std::function<void()>& tick) : tick_{tick} {}

    void directory(int dir, const std::string& path, std::size_t depth);
    Sha256 finish() { return digest_.finish(); }

private:
    void entry(int dir, const std::string& name, const std::string& path, std::size_t depth);
    Sha256 content_of(int fd);

    const std::function<void()>& tick_;
    TreeDigest digest_;
    Sha256Hasher content_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_; // the first path of each inode that has several
    std::vector<char> buffer_ = std::vector<char>(std::size_t{256} << 10);
};

void Walk::directory(int dir, const std::string& path, std::size_t depth)
{
    if (depth > deepest)
        fail(Error::Kind::corrupt, "{} is too deep", text::quoted(path));
    if (tick_)
        tick_();
    Inode inode{.type = 'd', .attributes = attributes_from(sys::stat(dir))};
    inode.attributes.xattrs = xattrs_of(dir);
    digest_.add(path, digest_of(inode));
    for (const auto& name : file::list(dir, "."))
        entry(dir, name, path.empty() ? name : path + "/" + name, depth);
}

void Walk::entry(int dir, const std::string& name, const std::string& path, std::size_t depth)
{
    const auto info = sys::stat_at(dir, name);
    const char type = type_of(info.st_mode);
    if (type == 'd')
        return directory(sys::open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).get(), path, depth + 1);
    if (info.st_nlink > 1) {
        const auto [first, is_new] = links_.try_emplace({info.st_dev, info.st_ino}, path);
        if (!is_new)
            return digest_.add_link(path, first->second);
    }
    Inode inode{.type = type, .attributes = attributes_from(info)};
    if (type == 'f') {
        const auto fd = sys::open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME);
        inode.size = static_cast<std::uint64_t>(info.st_size);
        inode.attributes.xattrs = xattrs_of(fd.get());
        inode.content = content_of(fd.get());
    } else if (type == 'l') {
        inode.target = sys::read_link(dir, name);
    } else if (type == 'c' || type == 'b') {
        inode.device = info.st_rdev;
    } else if (type != 'p') {
        fail(Error::Kind::corrupt, "{} is a socket", text::quoted(path));
    }
    digest_.add(path, digest_of(inode));
}

Sha256 Walk::content_of(int fd)
{
    while (const auto size = sys::read_some(fd, buffer_.data(), buffer_.size())) {
        content_.add({buffer_.data(), size});
        if (tick_)
            tick_();
    }
    return content_.finish();
}

} // namespace

std::map<std::string, std::string> image_xattrs_of(int fd)
{
    auto found = xattrs_of(fd);
    found.erase(opaque_xattr);
    return found;
}

Sha256 digest_of_tree(int dir, const std::function<void()>& tick)
{
    Walk walk{tick};
    walk.directory(dir, "", 0);
    return walk.finish();
}

} // namespace rocket::store

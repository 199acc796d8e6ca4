// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/aci_writer.hh"

#include <sys/sysmacros.h>

#include <array>
#include <map>

#include "common/sys/sys.hh"
#include "stage0/store/tree_walk.hh"

namespace rocket::store
{

namespace
{

constexpr std::size_t block_size = 512;

struct Member {
    std::string path;
    char type = '0';
    mode_t mode = 0644;
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint64_t size = 0;
    timespec mtime = {};
    std::string link = {};
    dev_t device = 0;
    std::map<std::string, std::string> xattrs = {};
};

// "LEN KEY=VALUE\n", where LEN counts itself.
std::string pax_record(std::string_view key, std::string_view value)
{
    const auto rest = key.size() + value.size() + 3;
    auto total = rest + std::to_string(rest).size();
    total = rest + std::to_string(total).size();
    return fmt::format("{} {}={}\n", total, key, value);
}

class TarStream
{
public:
    explicit TarStream(int to) : to_{to} {}

    void header(const Member& member);
    void content(std::string_view bytes) { put(bytes); }
    void pad(std::uint64_t size) { put(std::string((block_size - size % block_size) % block_size, '\0')); }
    void end() { put(std::string(2 * block_size, '\0')); }

private:
    static std::string block(const Member& member, std::string_view path, std::string_view link);
    static std::string pax_of(const Member& member);
    void put(std::string_view bytes) const
    {
        with_context("writing the image", [&] { sys::write_all(to_, bytes); });
    }

    int to_;
};

constexpr std::uint64_t largest_7 = 07777777, largest_11 = 077777777777;

std::string TarStream::pax_of(const Member& member)
{
    std::string records;
    if (member.path.size() > 100)
        records += pax_record("path", member.path);
    if (member.link.size() > 100)
        records += pax_record("linkpath", member.link);
    if (member.size > largest_11)
        records += pax_record("size", std::to_string(member.size));
    if (member.uid > largest_7)
        records += pax_record("uid", std::to_string(member.uid));
    if (member.gid > largest_7)
        records += pax_record("gid", std::to_string(member.gid));
    if (member.mtime.tv_sec < 0 || static_cast<std::uint64_t>(member.mtime.tv_sec) > largest_11)
        records += pax_record("mtime", std::to_string(member.mtime.tv_sec));
    else if (member.mtime.tv_nsec != 0)
        records += pax_record("mtime", fmt::format("{}.{:09}", member.mtime.tv_sec, member.mtime.tv_nsec));
    for (const auto& [name, value] : member.xattrs)
        records += pax_record("SCHILY.xattr." + name, value);
    return records;
}

std::string TarStream::block(const Member& member, std::string_view path, std::string_view link)
{
    std::string block(block_size, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
    const auto octal = [&](std::size_t at, int digits, std::uint64_t value, std::uint64_t largest) {
        put(at, fmt::format("{:0{}o}", value > largest ? 0 : value, digits));
    };
    put(0, path.substr(0, 100));
    octal(100, 7, member.mode, largest_7);
    octal(108, 7, member.uid, largest_7);
    octal(116, 7, member.gid, largest_7);
    octal(124, 11, member.size, largest_11);
    octal(136, 11, static_cast<std::uint64_t>(member.mtime.tv_sec), largest_11);
    block[156] = member.type;
    put(157, link.substr(0, 100));
    put(257, std::string_view{"ustar\00000", 8});
    octal(329, 7, major(member.device), largest_7);
    octal(337, 7, minor(member.device), largest_7);
    put(148, "        ");
    unsigned sum = 0;
    for (const char c : block)
        sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum));
    block[154] = '\0';
    return block;
}

void TarStream::header(const Member& member)
{
    if (const auto records = pax_of(member); !records.empty()) {
        put(block({.path = "PaxHeader", .type = 'x', .size = records.size()}, "PaxHeader", ""));
        put(records);
        pad(records.size());
    }
    put(block(member, member.path, member.link));
}

char tar_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return '5';
    case S_IFLNK:
        return '2';
    case S_IFCHR:
        return '3';
    case S_IFBLK:
        return '4';
    case S_IFIFO:
        return '6';
    default:
        return '0';
    }
}

class AciWriter
{
public:
    AciWriter(int to, const std::function<void()>& tick) : tar_{to}, tick_{tick} {}

    void directory(const MergedDir& dir, const std::string& path);
    void manifest(std::string_view text);

private:
    void entry(const MergedDir& dir, const std::string& name, const std::string& path);
    void file(int dir, const std::string& name, Member member);
    static Member member_of(const struct stat& info, const std::string& path);

    TarStream tar_;
    const std::function<void()>& tick_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_; // the first path of each inode that has several
    std::vector<char> buffer_ = std::vector<char>(std::size_t{256} << 10);
};

Member AciWriter::member_of(const struct stat& info, const std::string& path)
{
    return {.path = path,
            .type = tar_type(info.st_mode),
            .mode = info.st_mode & 07777U,
            .uid = info.st_uid,
            .gid = info.st_gid,
            .mtime = info.st_mtim};
}

void AciWriter::directory(const MergedDir& dir, const std::string& path)
{
    const int top = dir.parts.front().dir.get();
    auto member = member_of(sys::stat(top), path);
    member.xattrs = image_xattrs_of(top);
    tar_.header(member);
    for (const auto& name : names_in(dir))
        entry(dir, name, path + "/" + name);
    tick_();
}

void AciWriter::entry(const MergedDir& dir, const std::string& name, const std::string& path)
{
    const auto found = find_in(dir, name);
    if (!found)
        fail(Error::Kind::system, "{} has vanished", text::quoted(path));
    if (found->directory)
        return directory(*found->directory, path);
    auto member = member_of(found->info, path);
    if (found->info.st_nlink > 1) {
        const auto [first, is_new] = links_.try_emplace({found->info.st_dev, found->info.st_ino}, path);
        if (!is_new) {
            member.type = '1';
            member.link = first->second;
            return tar_.header(member);
        }
    }
    if (member.type == '0')
        return file(found->parent, name, std::move(member));
    if (member.type == '2')
        member.link = sys::read_link(found->parent, name);
    else
        member.device = found->info.st_rdev;
    tar_.header(member);
}

void AciWriter::file(int dir, const std::string& name, Member member)
{
    const auto fd = sys::open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    member.size = static_cast<std::uint64_t>(sys::stat(fd.get()).st_size);
    member.xattrs = image_xattrs_of(fd.get());
    tar_.header(member);
    std::uint64_t written = 0;
    while (const auto size = sys::read_some(fd.get(), buffer_.data(), buffer_.size())) {
        tar_.content({buffer_.data(), size});
        written += size;
        tick_();
    }
    if (written != member.size)
        fail(Error::Kind::system, "{} was changed while it was read", text::quoted(member.path));
    tar_.pad(written);
}

void AciWriter::manifest(std::string_view text)
{
    tar_.header({.path = "manifest", .size = text.size()});
    tar_.content(text);
    tar_.pad(text.size());
    tar_.end();
}

} // namespace

void write_aci(const LayerStack& trees, std::string_view manifest, int to, const std::function<void()>& tick)
{
    AciWriter writer{to, tick};
    writer.directory(*trees.root(), "rootfs");
    writer.manifest(manifest);
}

} // namespace rocket::store

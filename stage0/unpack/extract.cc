// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/extract.hh"

#include <archive.h>
#include <archive_entry.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/attributes.hh"
#include "stage0/unpack/member_name.hh"
#include "stage0/unpack/tar_check.hh"

namespace rocket::unpack
{

namespace
{

// libarchive over a stream that TarCheck sees first. What either throws inside libarchive's callback is kept and
// thrown again outside of it.
class TarReader
{
public:
    TarReader(const Read& read, const Limits& limits);

    // One member and its names as they stand in the archive.
    struct Member {
        archive_entry* entry;
        std::string path;
        std::optional<std::string> hard_link;
        std::optional<std::string> symlink;
    };
    std::optional<Member> next();
    // One piece of the entry's content; false at its end.
    bool next_block(const void*& bytes, std::size_t& size, std::uint64_t& offset);
    void expect_end(); // reads what is left of the stream: padding only

private:
    std::string_view pull();
    static la_ssize_t on_read(archive* handle, void* self, const void** buffer);
    [[noreturn]] void raise(std::string_view doing);

    const Read& read_;
    TarCheck check_;
    std::vector<char> buffer_;
    bool at_end_ = false;
    std::exception_ptr failed_;
    std::unique_ptr<archive, int (*)(archive*)> handle_;
};

TarReader::TarReader(const Read& read, const Limits& limits)
    : read_{read}, check_{limits}, buffer_(std::size_t{256} << 10), handle_{::archive_read_new(), ::archive_read_free}
{
    if (!handle_ || ::archive_read_support_format_tar(handle_.get()) != ARCHIVE_OK)
        raise("starting the tar reader");
    if (::archive_read_open(handle_.get(), this, nullptr, on_read, nullptr) != ARCHIVE_OK)
        raise("reading the archive");
}

void TarReader::raise(std::string_view doing)
{
    if (failed_)
        std::rethrow_exception(failed_);
    const char* why = handle_ ? ::archive_error_string(handle_.get()) : nullptr;
    fail(Error::Kind::corrupt, "{}: {}", doing, text::printable(why != nullptr ? why : "not a tar archive"));
}

std::string_view TarReader::pull()
{
    const auto size = at_end_ ? 0 : read_(buffer_.data(), buffer_.size());
    const std::string_view bytes{buffer_.data(), size};
    if (!bytes.empty())
        check_.feed(bytes);
    else if (!std::exchange(at_end_, true))
        check_.finish();
    return bytes;
}

la_ssize_t TarReader::on_read(archive* handle, void* self, const void** buffer)
{
    auto& reader = *static_cast<TarReader*>(self);
    try {
        const auto bytes = reader.pull();
        *buffer = bytes.data();
        return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {
        reader.failed_ = std::current_exception();
        ::archive_set_error(handle, EINVAL, "the stream was refused");
        return -1;
    }
}

std::optional<TarReader::Member> TarReader::next()
{
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(handle_.get(), &entry);
    if (result == ARCHIVE_EOF)
        return std::nullopt;
    if (result != ARCHIVE_OK) // a warning included: it would mean that something was lost
        raise("reading the archive");
    const auto checked = check_.next();
    if (!checked || static_cast<la_int64_t>(checked->offset) != ::archive_read_header_position(handle_.get()))
        fail(Error::Kind::corrupt, "the tar archive is ambiguous at byte {}",
             ::archive_read_header_position(handle_.get()));
    const auto name = [](const char* seen, const std::optional<std::string>& stated) -> std::optional<std::string> {
        if (seen == nullptr)
            return std::nullopt;
        return stated ? *stated : seen;
    };
    const auto path = name(::archive_entry_pathname(entry), checked->path);
    if (!path)
        fail(Error::Kind::corrupt, "a member of the archive has a name that cannot be read");
    return Member{.entry = entry,
                  .path = *path,
                  .hard_link = name(::archive_entry_hardlink(entry), checked->link),
                  .symlink = name(::archive_entry_symlink(entry), checked->link)};
}

bool TarReader::next_block(const void*& bytes, std::size_t& size, std::uint64_t& offset)
{
    la_int64_t at = 0;
    const int result = ::archive_read_data_block(handle_.get(), &bytes, &size, &at);
    if (result == ARCHIVE_EOF)
        return false;
    if (result != ARCHIVE_OK || at < 0)
        raise("reading the archive");
    offset = static_cast<std::uint64_t>(at);
    return true;
}

void TarReader::expect_end()
{
    while (!pull().empty()) {
    }
    if (check_.next())
        fail(Error::Kind::corrupt, "the tar archive is ambiguous at its end");
}

class Extraction
{
public:
    Extraction(const Read& read, Fd root, const ExtractOptions& options,
               const std::function<void(std::string_view)>& on_manifest)
        : options_{options}, on_manifest_{on_manifest}, reader_{read, options.limits}, writer_{std::move(root),
                                                                                               options.limits,
                                                                                               options.fidelity}
    {
    }

    TreeSummary run();

private:
    using Member = TarReader::Member;
    void on_member(const Member& member);
    void on_manifest(const Member& member);
    void on_rootfs(const Member& member, const std::string& path);
    void on_hard_link(const std::string& path, const std::string& raw_target);
    void on_file(archive_entry* entry, const std::string& path);
    void on_special(const Member& member, const std::string& path, char type);

    const ExtractOptions& options_;
    const std::function<void(std::string_view)>& on_manifest_;
    TarReader reader_;
    TreeWriter writer_;
    bool has_manifest_ = false;
};

TreeSummary Extraction::run()
{
    while (const auto member = reader_.next())
        on_member(*member);
    reader_.expect_end();
    if (!has_manifest_)
        fail(Error::Kind::corrupt, "no image manifest in the archive");
    if (!writer_.has_root())
        fail(Error::Kind::corrupt, "no rootfs in the archive");
    return writer_.finish();
}

void Extraction::on_member(const Member& member)
{
    const auto name = parse_member_name(member.path, options_.limits);
    switch (name.place) {
    case MemberName::Place::nothing:
        if (::archive_entry_filetype(member.entry) != AE_IFDIR || member.hard_link)
            fail(Error::Kind::corrupt, "the archive's top {} is not a directory", text::quoted(member.path));
        return;
    case MemberName::Place::manifest:
        return on_manifest(member);
    case MemberName::Place::rootfs:
        return on_rootfs(member, name.path);
    }
}

void Extraction::on_manifest(const Member& member)
{
    if (std::exchange(has_manifest_, true))
        fail(Error::Kind::corrupt, "the archive holds \"manifest\" twice");
    if (::archive_entry_filetype(member.entry) != AE_IFREG || member.hard_link)
        fail(Error::Kind::corrupt, "the manifest is not a regular file");
    std::string content;
    const void* bytes = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    while (reader_.next_block(bytes, size, offset)) {
        if (offset != content.size())
            fail(Error::Kind::corrupt, "the manifest has holes");
        if (content.size() + size > options_.limits.manifest_bytes)
            fail(Error::Kind::corrupt, "the manifest is larger than {} bytes (limit manifest-bytes)",
                 options_.limits.manifest_bytes);
        content.append(static_cast<const char*>(bytes), size);
    }
    on_manifest_(content);
}

void Extraction::on_rootfs(const Member& member, const std::string& path)
{
    if (member.hard_link)
        return on_hard_link(path, *member.hard_link);
    auto* entry = member.entry;
    const auto type = ::archive_entry_filetype(entry);
    if (path.empty() && type != AE_IFDIR)
        fail(Error::Kind::corrupt, "rootfs is not a directory");
    switch (type) {
    case AE_IFDIR:
        return writer_.directory(path, attributes_of(entry, options_.limits));
    case AE_IFREG:
        return on_file(entry, path);
    case AE_IFLNK:
        return on_special(member, path, 'l');
    case AE_IFIFO:
        return on_special(member, path, 'p');
    case AE_IFCHR:
        return on_special(member, path, 'c');
    case AE_IFBLK:
        return on_special(member, path, 'b');
    default:
        fail(Error::Kind::corrupt, "{} is of an unknown type", text::quoted("rootfs/" + path));
    }
}

void Extraction::on_hard_link(const std::string& path, const std::string& raw_target)
{
    MemberName target;
    try {
        target = parse_member_name(raw_target, options_.limits);
    } catch (const Error& error) {
        fail(Error::Kind::corrupt, "{} is a hard link, and {}", text::quoted("rootfs/" + path), error.innermost());
    }
    if (target.place != MemberName::Place::rootfs)
        fail(Error::Kind::corrupt, "{} is a hard link to {}, which is not below rootfs", text::quoted("rootfs/" + path),
             text::quoted(raw_target));
    writer_.hard_link(path, target.path);
}

void Extraction::on_file(archive_entry* entry, const std::string& path)
{
    writer_.begin_file(path, attributes_of(entry, options_.limits));
    const auto total = static_cast<std::uint64_t>(std::max<la_int64_t>(::archive_entry_size(entry), 0));
    const void* bytes = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    while (reader_.next_block(bytes, size, offset))
        writer_.write(offset, {static_cast<const char*>(bytes), size});
    writer_.end_file(total);
}

void Extraction::on_special(const Member& member, const std::string& path, char type)
{
    store::Inode inode{.type = type, .attributes = attributes_of(member.entry, options_.limits)};
    const auto shown = text::quoted("rootfs/" + path);
    if (type == 'l') {
        inode.target = member.symlink.value_or("");
        inode.attributes.mode = 0777; // links have no mode of their own on Linux
        if (inode.target.empty() || inode.target.size() >= options_.limits.link_bytes)
            fail(Error::Kind::corrupt,
                 "the link {} has an empty target, or one longer than {} bytes (limit link-bytes)", shown,
                 options_.limits.link_bytes);
    }
    if (type == 'c' || type == 'b') {
        if (!options_.allow_devices)
            fail(Error::Kind::corrupt, "the archive holds the device node {}: a pod has its own /dev", shown);
        inode.device = ::archive_entry_rdev(member.entry);
        if (type == 'c' && inode.device == ::makedev(0, 0))
            fail(Error::Kind::corrupt, "{} is an overlay white-out", shown);
    }
    writer_.special(path, inode);
}

} // namespace

void prepare_extraction()
{
    // PAX names are UTF-8; libarchive wants a locale that can hold them. This one is part of glibc.
    ::setlocale(LC_CTYPE, "C.UTF-8");
    store::prepare_hashes();
}

TreeSummary extract(const Read& read, Fd root, const ExtractOptions& options,
                    const std::function<void(std::string_view)>& on_manifest)
{
    return Extraction{read, std::move(root), options, on_manifest}.run();
}

} // namespace rocket::unpack

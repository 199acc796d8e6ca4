// SPDX-License-Identifier: Apache-2.0
#include "stage0/pack/pack.hh"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <sys/xattr.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "common/sys/sys.hh"

namespace rocket::pack
{

namespace
{

using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

constexpr std::size_t chunk = std::size_t{1} << 20U;
constexpr std::size_t longest_value = 64 * 1024; // XATTR_SIZE_MAX

Entry new_entry()
{
    return {::archive_entry_new(), ::archive_entry_free};
}

std::vector<std::string> names_in(const Fd& directory)
{
    std::vector<std::string> names;
    auto again = sys::open(directory.get(), ".", O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(again.release()), ::closedir};
    if (!stream)
        throw system_error(errno, "reading a directory");
    while (const auto* entry = ::readdir(stream.get()))
        if (std::string name = entry->d_name; name != "." && name != "..")
            names.push_back(std::move(name));
    std::ranges::sort(names);
    return names;
}

void add_attributes(archive_entry* entry, const Fd& file)
{
    std::string names(longest_value, '\0');
    const auto size = ::flistxattr(file.get(), names.data(), names.size());
    if (size <= 0) // none, or a file system without
        return;
    names.resize(static_cast<std::size_t>(size));
    for (const auto& name : text::split(names, '\0')) {
        if (!name.starts_with("user.") && name != "security.capability")
            continue; // labels and the like are this host's affair
        std::string value(longest_value, '\0');
        const auto length =
            sys::check([&] { return ::fgetxattr(file.get(), name.c_str(), value.data(), value.size()); },
                       "reading attribute {}", text::quoted(name));
        ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), static_cast<std::size_t>(length));
    }
}

class Packer
{
public:
    explicit Packer(int output) : archive_{::archive_write_new(), ::archive_write_free}
    {
        auto* const to = archive_.get();
        check(::archive_write_set_format_pax_restricted(to));
        check(::archive_write_set_options(to, "hdrcharset=BINARY,xattrheader=SCHILY"));
        check(::archive_write_add_filter_gzip(to));
        check(::archive_write_set_filter_option(to, "gzip", "timestamp", nullptr)); // the same tree, the same bytes
        check(::archive_write_set_bytes_in_last_block(to, 1));
        check(::archive_write_open_fd(to, output));
        links_.reset(::archive_entry_linkresolver_new());
        ::archive_entry_linkresolver_set_strategy(links_.get(), ::archive_format(to));
    }

    void add_manifest(std::string_view text);
    void add_directory(const Fd& directory, const std::string& path);
    void finish() { check(::archive_write_close(archive_.get())); }
    const Summary& summary() const noexcept { return summary_; }

private:
    void check(int result)
    {
        if (result != ARCHIVE_OK) // warnings, too: nothing is to be lost on the way
            fail(Error::Kind::system, "writing the archive: {}",
                 text::printable(::archive_error_string(archive_.get())));
    }
    void add(const Fd& directory, const std::string& name, const std::string& path);
    void write(archive_entry* entry, const Fd* content);

    std::unique_ptr<archive, int (*)(archive*)> archive_;
    std::unique_ptr<archive_entry_linkresolver, void (*)(archive_entry_linkresolver*)> links_{
        nullptr, ::archive_entry_linkresolver_free};
    Summary summary_;
};

void Packer::write(archive_entry* entry, const Fd* content)
{
    check(::archive_write_header(archive_.get(), entry));
    ++summary_.members;
    auto left = content != nullptr ? ::archive_entry_size(entry) : 0;
    std::vector<char> bytes(left > 0 ? std::min(chunk, static_cast<std::size_t>(left)) : 0);
    while (left > 0) {
        const auto got =
            sys::read_some(content->get(), bytes.data(), std::min(bytes.size(), static_cast<std::size_t>(left)));
        if (got == 0)
            fail(Error::Kind::system, "a file has become shorter while it was read");
        if (::archive_write_data(archive_.get(), bytes.data(), got) < 0)
            check(ARCHIVE_FATAL);
        left -= static_cast<la_int64_t>(got);
    }
    check(::archive_write_finish_entry(archive_.get()));
}

void Packer::add_manifest(std::string_view text)
{
    const auto entry = new_entry();
    ::archive_entry_set_pathname(entry.get(), "manifest");
    ::archive_entry_set_filetype(entry.get(), S_IFREG);
    ::archive_entry_set_perm(entry.get(), 0644);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
    check(::archive_write_header(archive_.get(), entry.get()));
    if (::archive_write_data(archive_.get(), text.data(), text.size()) < 0)
        check(ARCHIVE_FATAL);
    ++summary_.members;
}

void Packer::add(const Fd& directory, const std::string& name, const std::string& path)
{
    const auto info = sys::stat_at(directory.get(), name);
    if (S_ISSOCK(info.st_mode) || S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
        ++summary_.left_out;
        return;
    }
    if (S_ISDIR(info.st_mode))
        return add_directory(sys::open(directory.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
    auto entry = new_entry();
    ::archive_entry_copy_stat(entry.get(), &info);
    ::archive_entry_copy_pathname(entry.get(), path.c_str());
    if (S_ISLNK(info.st_mode))
        ::archive_entry_copy_symlink(entry.get(), sys::read_link(directory.get(), name).c_str());
    Fd file;
    if (S_ISREG(info.st_mode)) {
        file = sys::open(directory.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        add_attributes(entry.get(), file);
    }
    auto* first = entry.release();
    archive_entry* second = nullptr; // this strategy never holds one back
    ::archive_entry_linkify(links_.get(), &first, &second);
    const Entry owned{first, ::archive_entry_free};
    write(owned.get(), file ? &file : nullptr);
}

void Packer::add_directory(const Fd& directory, const std::string& path)
{
    const auto info = sys::stat(directory.get());
    const auto entry = new_entry();
    ::archive_entry_copy_stat(entry.get(), &info);
    ::archive_entry_copy_pathname(entry.get(), path.c_str());
    add_attributes(entry.get(), directory);
    write(entry.get(), nullptr);
    for (const auto& name : names_in(directory))
        add(directory, name, path + '/' + name);
}

} // namespace

Summary pack(std::string_view manifest, const Fd& tree, int output)
{
    Packer packer{output};
    packer.add_manifest(manifest);
    packer.add_directory(tree, "rootfs");
    packer.finish();
    return packer.summary();
}

} // namespace rocket::pack

// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/tar_reader.hh"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <clocale>
#include <type_traits>
#include <utility>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::unpack
{

static_assert(std::is_same_v<la_ssize_t, long>); // what the header says without libarchive's headers

void prepare_tar_reader()
{
    // PAX names are UTF-8; libarchive wants a locale that can hold them. This one is part of glibc.
    ::setlocale(LC_CTYPE, "C.UTF-8");
}

TarReader::TarReader(const Read& read, const Limits& limits, Strictness strictness)
    : read_{read}, check_{limits, strictness == Strictness::layer},
      buffer_(std::size_t{256} << 10), handle_{::archive_read_new(), ::archive_read_free}
{
    if (!handle_ || ::archive_read_support_format_tar(handle_.get()) != ARCHIVE_OK)
        raise("starting the tar reader");
    if (strictness == Strictness::layer && ::archive_read_support_format_empty(handle_.get()) != ARCHIVE_OK)
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

long TarReader::on_read(archive* handle, void* self, const void** buffer)
{
    auto& reader = *static_cast<TarReader*>(self);
    try {
        const auto bytes = reader.pull();
        *buffer = bytes.data();
        return static_cast<long>(bytes.size());
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
                  .symlink = name(::archive_entry_symlink(entry), checked->link),
                  .content = checked->content};
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

} // namespace rocket::unpack

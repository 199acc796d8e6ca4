// SPDX-License-Identifier: Apache-2.0
// The members of a tar stream, one by one: libarchive takes them apart (tar only, warnings are fatal), TarCheck sees
// the stream first and has to agree. Errors: Kind::corrupt, each limit with its own.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/unpack/decompress.hh"
#include "stage0/unpack/limits.hh"
#include "stage0/unpack/tar_check.hh"

struct archive;
struct archive_entry;

namespace rocket::unpack
{

// What libarchive loads late is loaded now, while that is still allowed.
void prepare_tar_reader();

class TarReader
{
public:
    // The appc specification wants padding behind the end, layers may have anything there, or be empty (OLYR-3, -14).
    enum class Strictness { image, layer };
    TarReader(const Read& read, const Limits& limits, Strictness strictness = Strictness::image);

    // One member and its names as they stand in the archive.
    struct Member {
        archive_entry* entry;
        std::string path;
        std::optional<std::string> hard_link;
        std::optional<std::string> symlink;
        TarCheck::Content content; // where its content lies in the stream
    };
    std::optional<Member> next();
    // One piece of the member's content; false at its end.
    bool next_block(const void*& bytes, std::size_t& size, std::uint64_t& offset);
    void expect_end(); // reads what is left of the stream

private:
    std::string_view pull();
    static long on_read(archive* handle, void* self, const void** buffer);
    [[noreturn]] void raise(std::string_view doing);

    const Read& read_;
    TarCheck check_;
    std::vector<char> buffer_;
    bool at_end_ = false;
    // What is thrown inside libarchive's callback is kept, to be thrown again outside of it.
    std::exception_ptr failed_;
    std::unique_ptr<archive, int (*)(archive*)> handle_;
};

} // namespace rocket::unpack

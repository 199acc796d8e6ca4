// SPDX-License-Identifier: Apache-2.0
// A second look at the tar stream, beside libarchive and stricter: what that lets through (unknown types, wrong
// numbers, NUL in PAX values, PAX sizes carried across GNU headers, data behind the end) is refused here (R2, ACI-9,
// ACI-11). Where each member's header begins is remembered: the reader compares it with where libarchive found the
// member, so that the two can never disagree about what is a header and what is content. Errors: Kind::corrupt.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "stage0/unpack/limits.hh"

namespace rocket::unpack
{

class TarCheck
{
public:
    // `anything_behind`: what follows the end of the archive does not matter (OLYR-3), rather than being an error.
    explicit TarCheck(const Limits& limits, bool anything_behind = false)
        : limits_{limits}, anything_behind_{anything_behind}
    {
    }

    void feed(std::string_view bytes); // the stream, in pieces of any size
    void finish();                     // it ends here

    struct Content {
        std::uint64_t offset = 0; // in the stream
        std::uint64_t size = 0;
        bool is_sparse = false; // then it holds a map as well
    };
    struct Member {
        std::uint64_t offset = 0; // of its first header block, PAX and GNU headers included
        // What PAX says, byte for byte: libarchive would normalise these as Unicode, and two files could become one.
        std::optional<std::string> path = {};
        std::optional<std::string> link = {};
        Content content = {};
    };
    std::optional<Member> next(); // members in order; nullopt if none is left of what was fed

private:
    void on_block();
    void on_header();
    void on_member(char type);
    void begin_collecting(char type, std::uint64_t limit, std::string_view limit_name);
    void on_collected();
    void on_pax_record(std::string_view key, std::string_view value);
    void end_of_archive();
    std::uint64_t data_size(char type) const;

    const Limits& limits_;
    const bool anything_behind_;
    std::deque<Member> found_;
    std::uint64_t members_ = 0;
    std::uint64_t position_ = 0; // of the next byte to be fed

    std::string block_;          // the header or collected block being filled
    std::uint64_t skip_ = 0;     // content bytes still to come, with padding
    bool ended_ = false;         // the first zero block was seen
    bool sparse_blocks_ = false; // old GNU sparse: the map goes on in the next block
    std::uint64_t after_sparse_ = 0;

    char collecting_ = '\0'; // x, g, L or K while the body of such a header is read
    std::uint64_t collect_left_ = 0;
    std::string collected_;

    // What was said in front of the member to come.
    std::optional<std::uint64_t> group_offset_;
    Member pending_;
    bool has_sparse_name_ = false; // which then counts, rather than the path beside it
    bool pax_sparse_ = false;
    bool has_pax_ = false;
    bool has_gnu_ = false;
    std::optional<std::uint64_t> pax_size_;
    bool archive_is_pax_ = false; // any PAX header so far: then hard links may have content
};

} // namespace rocket::unpack

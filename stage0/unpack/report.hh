// SPDX-License-Identifier: Apache-2.0
// What a worker tells the broker, on a pipe of its own: a sequence of frames, each a kind, a length (32 bits, little
// endian) and that many bytes. The broker believes nothing: parse_report() checks kinds, lengths and order.
//   extract:    note* [manifest] (tree | error)  decompress: nothing, or error
//   layer:      note* [seams] (tree | error)     members:    (members | error)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/error.hh"
#include "stage0/store/hash.hh"

namespace rocket::unpack
{

enum class FrameKind : char { note = 'N', manifest = 'M', tree = 'T', error = 'E', seams = 'S', members = 'L' };

// The rendered tree, in numbers.
struct TreeSummary {
    store::Sha256 digest = {};
    std::uint64_t members = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t lacks_set_ids = 0; // of so many: store/set_ids.hh; only where there is a tree
    std::string first_lacking = {};  // path of the first, as in errors
    bool operator==(const TreeSummary&) const = default;
};

struct Report {
    std::vector<std::string> notes = {}; // for whoever debugs
    std::optional<std::string> manifest = {};
    std::optional<std::string> seams = {};   // see seams.hh
    std::optional<std::string> members = {}; // see members.hh
    std::optional<TreeSummary> tree = {};
    std::optional<Error> error = {};
};

constexpr std::size_t largest_error = 16384;
constexpr std::size_t largest_note = 1024;
constexpr std::size_t largest_list = std::size_t{16} << 20; // of seams or members

void send_note(int fd, std::string_view note);
void send_manifest(int fd, std::string_view manifest);
// What layers and archives of files bring; the kind says which.
void send_list(int fd, FrameKind kind, std::string_view list);
void send_tree(int fd, const TreeSummary& tree);
void send_error(int fd, const Error& error);

// Kind::corrupt if it is not a report. What errors and notes say is made printable.
Report parse_report(std::string_view bytes, std::size_t largest_manifest);

} // namespace rocket::unpack

// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/report.hh"

#include <algorithm>

#include "common/sys/sys.hh"

namespace rocket::unpack
{

namespace
{

std::string little_endian(std::uint64_t value, std::size_t bytes)
{
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i)
        out += static_cast<char>(value >> (8 * i) & 0xFFU);
    return out;
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size)
{
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;)
        value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

constexpr std::size_t head_size = 1 + 4;
constexpr std::size_t tree_size = 32 + 8 + 8 + 8; // and a path

void send(int fd, FrameKind kind, std::string_view payload)
{
    std::string frame(1, static_cast<char>(kind));
    frame += little_endian(payload.size(), 4);
    frame += payload;
    sys::write_all(fd, frame);
}

[[noreturn]] void refuse()
{
    fail(Error::Kind::corrupt, "a worker's report is malformed");
}

TreeSummary tree_from(std::string_view payload)
{
    if (payload.size() < tree_size || payload.size() > tree_size + largest_note)
        refuse();
    TreeSummary tree;
    std::transform(payload.begin(), payload.begin() + 32, tree.digest.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
    tree.members = number_at(payload, 32, 8);
    tree.file_bytes = number_at(payload, 40, 8);
    tree.lacks_set_ids = number_at(payload, 48, 8);
    tree.first_lacking = text::printable(payload.substr(tree_size));
    return tree;
}

Error error_from(std::string_view payload)
{
    const auto told = Error::deserialize(payload);
    Error error{told.kind(), text::printable(told.innermost()), text::printable(told.hint())};
    for (auto i = told.causes().size() - 1; i-- > 0;)
        error.add_context(text::printable(told.causes()[i]));
    return error;
}

} // namespace

void send_note(int fd, std::string_view note)
{
    send(fd, FrameKind::note, note.substr(0, largest_note));
}

void send_manifest(int fd, std::string_view manifest)
{
    send(fd, FrameKind::manifest, manifest);
}

void send_list(int fd, FrameKind kind, std::string_view list)
{
    send(fd, kind, list);
}

void send_tree(int fd, const TreeSummary& tree)
{
    std::string payload{reinterpret_cast<const char*>(tree.digest.data()), tree.digest.size()};
    payload += little_endian(tree.members, 8);
    payload += little_endian(tree.file_bytes, 8);
    payload += little_endian(tree.lacks_set_ids, 8);
    payload += tree.first_lacking.substr(0, largest_note);
    send(fd, FrameKind::tree, payload);
}

void send_error(int fd, const Error& error)
{
    auto payload = error.serialize();
    if (payload.size() > largest_error)
        payload = Error{error.kind(), error.innermost().substr(0, largest_error / 8)}.serialize();
    send(fd, FrameKind::error, payload);
}

namespace
{

// Each kind at most once, but notes; notes come before a manifest.
void take_frame(Report& report, FrameKind kind, std::string_view payload, std::size_t largest_manifest)
{
    switch (kind) {
    case FrameKind::note:
        if (report.manifest || report.notes.size() == 8 || payload.size() > largest_note)
            refuse();
        report.notes.push_back(text::printable(payload));
        return;
    case FrameKind::manifest:
        if (report.manifest || payload.size() > largest_manifest)
            refuse();
        report.manifest = payload;
        return;
    case FrameKind::seams:
    case FrameKind::members: {
        auto& list = kind == FrameKind::seams ? report.seams : report.members;
        if (list || payload.size() > largest_list)
            refuse();
        list = payload;
        return;
    }
    case FrameKind::tree:
        report.tree = tree_from(payload);
        return;
    case FrameKind::error:
        if (payload.size() > largest_error)
            refuse();
        report.error = error_from(payload);
        return;
    }
    refuse();
}

} // namespace

Report parse_report(std::string_view bytes, std::size_t largest_manifest)
{
    Report report;
    while (!bytes.empty()) {
        if (bytes.size() < head_size || report.error || report.tree)
            refuse();
        const auto size = number_at(bytes, 1, 4);
        if (bytes.size() - head_size < size)
            refuse();
        take_frame(report, static_cast<FrameKind>(bytes[0]), bytes.substr(head_size, size), largest_manifest);
        bytes.remove_prefix(head_size + size);
    }
    return report;
}

} // namespace rocket::unpack

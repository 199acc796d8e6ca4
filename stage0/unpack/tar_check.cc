// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/tar_check.hh"

#include <algorithm>
#include <utility>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/tar_header.hh"

namespace rocket::unpack
{

namespace
{

template <typename... Arg>
[[noreturn]] void refuse(fmt::format_string<Arg...> text, Arg&&... arg)
{
    fail(Error::Kind::corrupt, text, std::forward<Arg>(arg)...);
}

std::uint64_t padded(std::uint64_t size)
{
    return (size + tar_block - 1) / tar_block * tar_block;
}

bool is_binary_pax_key(std::string_view key)
{
    return key.starts_with("SCHILY.xattr.") || key.starts_with("LIBARCHIVE.xattr.");
}

bool is_pax_time(std::string_view value)
{
    if (value.starts_with('-'))
        value.remove_prefix(1);
    const auto dot = value.find('.');
    const auto is_digits = [](std::string_view part) { return part.find_first_not_of("0123456789") == part.npos; };
    return text::parse_decimal(value.substr(0, dot), INT64_MAX) &&
           (dot == value.npos || is_digits(value.substr(dot + 1)));
}

// Splits "LEN KEY=VALUE\n" off the front of `rest`; LEN counts itself.
std::pair<std::string_view, std::string_view> split_pax_record(std::string_view& rest)
{
    const auto blank = rest.find(' ');
    const auto length = blank == rest.npos ? std::nullopt : text::parse_decimal(rest.substr(0, blank), rest.size());
    if (!length || *length < blank + 2 || rest[*length - 1] != '\n')
        refuse("a PAX record is malformed");
    const auto record = rest.substr(blank + 1, *length - blank - 2);
    rest.remove_prefix(*length);
    const auto equals = record.find('=');
    if (equals == record.npos || equals == 0)
        refuse("a PAX record has no key");
    return {record.substr(0, equals), record.substr(equals + 1)};
}

} // namespace

std::optional<TarCheck::Member> TarCheck::next()
{
    if (found_.empty())
        return std::nullopt;
    auto member = std::move(found_.front());
    found_.pop_front();
    return member;
}

void TarCheck::feed(std::string_view bytes)
{
    while (!bytes.empty()) {
        if (ended_ && !anything_behind_ && bytes.find_first_not_of('\0') != bytes.npos)
            refuse("there is data behind the end of the tar archive");
        std::size_t size = bytes.size();
        if (!ended_ && skip_ > 0) {
            size = std::min<std::uint64_t>(skip_, size);
            skip_ -= size;
        } else if (!ended_) {
            size = std::min(tar_block - block_.size(), size);
            block_ += bytes.substr(0, size);
        }
        bytes.remove_prefix(size);
        position_ += size;
        if (block_.size() == tar_block) {
            on_block();
            block_.clear();
        }
    }
}

void TarCheck::finish()
{
    if (skip_ > 0 || !block_.empty() || group_offset_ || sparse_blocks_)
        refuse("the tar archive ends too early");
}

void TarCheck::on_block()
{
    if (collecting_ != '\0') {
        const auto size = std::min<std::uint64_t>(collect_left_, tar_block);
        collected_ += block_.substr(0, size);
        collect_left_ -= size;
        if (collect_left_ == 0)
            on_collected();
    } else if (sparse_blocks_) {
        sparse_blocks_ = block_[tar_field::gnu_sparse_block_continues] != '\0';
        if (!sparse_blocks_)
            skip_ = after_sparse_;
    } else if (block_.find_first_not_of('\0') == block_.npos) {
        end_of_archive();
    } else {
        on_header();
    }
}

void TarCheck::end_of_archive()
{
    if (group_offset_)
        refuse("the tar archive ends between a header and its member");
    ended_ = true;
}

void TarCheck::on_header()
{
    const auto offset = position_ - tar_block;
    if (!tar_checksum_is_right(block_))
        refuse("the tar header at byte {} has a wrong check sum", offset);
    const char type = block_[tar_field::type];
    if (!group_offset_)
        group_offset_ = offset;
    switch (type) {
    case 'x':
        if (has_pax_ || has_gnu_)
            refuse("a tar member has several PAX headers, or PAX and GNU headers at once");
        has_pax_ = archive_is_pax_ = true;
        return begin_collecting(type, limits_.pax_bytes, "pax-bytes");
    case 'g':
        archive_is_pax_ = true;
        return begin_collecting(type, limits_.pax_bytes, "pax-bytes");
    case 'L':
    case 'K':
        if (has_pax_)
            refuse("a tar member has PAX and GNU headers at once");
        has_gnu_ = true;
        return type == 'L' ? begin_collecting(type, limits_.path_bytes + 1, "path-bytes")
                           : begin_collecting(type, limits_.link_bytes + 1, "link-bytes");
    default:
        return on_member(type);
    }
}

void TarCheck::begin_collecting(char type, std::uint64_t limit, std::string_view limit_name)
{
    const auto size = tar_number(block_, tar_field::size);
    if (size <= 0)
        refuse("a tar header of type {} is empty", text::quoted({&type, 1}));
    if (static_cast<std::uint64_t>(size) > limit)
        refuse("a tar header of type {} is larger than {} bytes (limit {})", text::quoted({&type, 1}), limit,
               limit_name);
    collecting_ = type;
    collect_left_ = static_cast<std::uint64_t>(size);
    collected_.clear();
}

void TarCheck::on_collected()
{
    const char type = std::exchange(collecting_, '\0');
    if (type == 'L' || type == 'K') {
        const auto end = collected_.find('\0');
        if (end == 0 || collected_.find_first_not_of('\0', std::min(end, collected_.size())) != collected_.npos)
            refuse("a GNU long name is empty or has a NUL inside");
        return;
    }
    for (std::string_view rest = collected_; !rest.empty();) {
        const auto [key, value] = split_pax_record(rest);
        if (type == 'g' && key != "comment")
            refuse("the global PAX attribute {} is not supported", text::quoted(key));
        on_pax_record(key, value);
    }
}

void TarCheck::on_pax_record(std::string_view key, std::string_view value)
{
    if (!is_binary_pax_key(key) && value.find('\0') != value.npos)
        refuse("the PAX attribute {} has a NUL inside", text::quoted(key));
    bool sound = true;
    pax_sparse_ = pax_sparse_ || key.starts_with("GNU.sparse.");
    if (key == "size") {
        pax_size_ = text::parse_decimal(value, INT64_MAX);
        sound = pax_size_.has_value();
    } else if (key == "uid" || key == "gid") {
        sound = text::parse_decimal(value).has_value();
    } else if (key == "mtime" || key == "atime" || key == "ctime") {
        sound = is_pax_time(value);
    } else if (key == "path" || key == "GNU.sparse.name") {
        sound = !value.empty();
        if (key != "path" || !has_sparse_name_)
            pending_.path = value;
        has_sparse_name_ = has_sparse_name_ || key != "path";
    } else if (key == "linkpath") {
        sound = !value.empty();
        pending_.link = value;
    }
    if (!sound)
        refuse("the PAX attribute {} has the bad value {}", text::quoted(key), text::quoted(value));
}

std::uint64_t TarCheck::data_size(char type) const
{
    const auto stated = tar_number(block_, tar_field::size);
    if (stated < 0)
        refuse("a tar member has a negative size");
    // Links, devices, directories and FIFOs have no content, whatever the size says; only PAX gives hard links some.
    if ((type >= '2' && type <= '6') || (type == '1' && !archive_is_pax_))
        return 0;
    return pax_size_.value_or(static_cast<std::uint64_t>(stated));
}

void TarCheck::on_member(char type)
{
    if (std::string_view{"01234567S\0", 10}.find(type) == std::string_view::npos)
        refuse("the tar entry type {} is not known", text::quoted({&type, 1}));
    for (const auto& field : {tar_field::mode, tar_field::uid, tar_field::gid, tar_field::mtime})
        tar_number(block_, field);
    if (type == '3' || type == '4')
        for (const auto& field : {tar_field::devmajor, tar_field::devminor})
            tar_number(block_, field);
    if (++members_ > limits_.members)
        refuse("the archive has more than {} members (limit members)", limits_.members);
    const auto size = data_size(type);
    if (size > limits_.unpacked_bytes)
        refuse("a member is larger than {} bytes (limit unpacked-bytes)", limits_.unpacked_bytes);

    pending_.offset = *group_offset_;
    pending_.content = {.offset = position_, .size = size, .is_sparse = type == 'S' || pax_sparse_};
    found_.push_back(std::exchange(pending_, {}));
    group_offset_.reset();
    has_sparse_name_ = false;
    pax_sparse_ = false;
    pax_size_.reset();
    has_pax_ = has_gnu_ = false;
    sparse_blocks_ = type == 'S' && block_[tar_field::gnu_sparse_continues] != '\0';
    (sparse_blocks_ ? after_sparse_ : skip_) = padded(size);
}

} // namespace rocket::unpack

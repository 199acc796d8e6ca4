// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/tree_digest.hh"

#include <algorithm>

namespace rocket::store
{

namespace
{

// Every part has its length in front, so that no two inodes serialise alike.
class Serial
{
public:
    Serial& number(std::uint64_t value)
    {
        for (int shift = 0; shift < 64; shift += 8)
            bytes_ += static_cast<char>(value >> shift & 0xFFU);
        return *this;
    }
    Serial& text(std::string_view value)
    {
        number(value.size());
        bytes_ += value;
        return *this;
    }
    const std::string& bytes() const noexcept { return bytes_; }

private:
    std::string bytes_;
};

std::string_view bytes_of(const Sha256& digest)
{
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

} // namespace

Attributes implied_directory()
{
    return {.mode = 0755, .mtime = 0, .mtime_nsec = 1};
}

bool is_implied_directory(const struct stat& info) noexcept
{
    return info.st_mode == (S_IFDIR | 0755U) && info.st_uid == 0 && info.st_gid == 0 && info.st_mtim.tv_sec == 0 &&
           info.st_mtim.tv_nsec == 1;
}

Sha256 digest_of(const Inode& inode)
{
    Serial serial;
    serial.text({&inode.type, 1})
        .number(inode.attributes.mode)
        .number(inode.attributes.uid)
        .number(inode.attributes.gid)
        .number(static_cast<std::uint64_t>(inode.attributes.mtime))
        .number(inode.size)
        .number(inode.device)
        .text(inode.target)
        .text(bytes_of(inode.content))
        .number(inode.attributes.xattrs.size());
    for (const auto& [name, value] : inode.attributes.xattrs)
        serial.text(name).text(value);
    thread_local Sha256Hasher hasher;
    hasher.add(serial.bytes());
    return hasher.finish();
}

bool is_image_xattr(std::string_view name) noexcept
{
    return name == "security.capability" || name.starts_with("user.") || name.starts_with("system.posix_acl_");
}

bool PathOrder::operator()(std::string_view left, std::string_view right) const noexcept
{
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        const auto rank = [](char c) { return c == '/' ? 0U : static_cast<unsigned char>(c); };
        return rank(a) < rank(b);
    });
}

void TreeDigest::add(std::string_view path, const Sha256& inode)
{
    hasher_.add(Serial{}.text("i").text(path).text(bytes_of(inode)).bytes());
}

void TreeDigest::add_link(std::string_view path, std::string_view first)
{
    hasher_.add(Serial{}.text("=").text(path).text(first).bytes());
}

} // namespace rocket::store

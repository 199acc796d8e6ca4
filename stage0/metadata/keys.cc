// SPDX-License-Identifier: Apache-2.0
#include "stage0/metadata/keys.hh"

#include <algorithm>
#include <cstring>
#include <span>

#include "common/sys/base64.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/store/hash.hh"

namespace rocket::metadata
{

namespace
{

constexpr const char* key_file = "key";
constexpr std::size_t half = Keys::size / 2;
constexpr std::size_t token_bytes = 16;

std::string uuid_bytes(const model::PodId& id)
{
    std::string bytes, digits = id.str();
    std::erase(digits, '-');
    const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
        bytes += static_cast<char>(value(digits[at]) * 16 + value(digits[at + 1]));
    return bytes;
}

template <std::size_t N>
std::string_view view(const std::array<std::uint8_t, N>& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), N};
}

} // namespace

Keys Keys::load_or_make(const std::string& directory)
{
    sys::make_dirs(directory, 0700);
    const auto dir = sys::open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
    std::array<std::uint8_t, size> bytes{};
    auto content = file::read_if_exists(dir.get(), key_file, size);
    if (!content) {
        sys::random_bytes(bytes.data(), bytes.size());
        file::write_atomic(dir.get(), key_file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 0600);
        return Keys{bytes};
    }
    if (content->size() != size)
        throw Error{Error::Kind::corrupt,
                    fmt::format("{}/{} is no key: {} bytes", directory, key_file, content->size()),
                    "remove the file for a new key; what was signed with the old one cannot be verified any more"};
    std::copy(content->begin(), content->end(), bytes.begin());
    ::explicit_bzero(content->data(), content->size());
    return Keys{bytes};
}

std::string Keys::sign(const model::PodId& signer, std::string_view content) const
{
    const auto message = uuid_bytes(signer) + std::string{content};
    return text::encode_base64(view(store::hmac_sha512(view(bytes_).substr(0, half), message)));
}

bool Keys::verify(const model::PodId& signer, std::string_view content, std::string_view signature) const
{
    return is_equal(sign(signer, content), signature);
}

std::string Keys::token(const model::PodId& pod) const
{
    const auto code = store::hmac_sha512(view(bytes_).substr(half), uuid_bytes(pod));
    return text::hex(std::span{code}.first<token_bytes>());
}

bool is_equal(std::string_view one, std::string_view other) noexcept
{
    if (one.size() != other.size())
        return false;
    unsigned char differences = 0;
    for (std::size_t at = 0; at < one.size(); ++at)
        differences |= static_cast<unsigned char>(one[at] ^ other[at]);
    return differences == 0;
}

} // namespace rocket::metadata

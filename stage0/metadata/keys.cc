// SPDX-License-Identifier: Apache-2.0
#include "stage0/metadata/keys.hh"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <span>
#include <vector>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::metadata
{

namespace
{

constexpr const char* key_file = "key";
constexpr std::size_t half = Keys::size / 2;
constexpr std::size_t token_bytes = 16;

using Bytes = std::vector<std::uint8_t>;

Bytes uuid_bytes(const model::PodId& id)
{
    Bytes bytes;
    std::string digits = id.str();
    std::erase(digits, '-');
    const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
        bytes.push_back(static_cast<std::uint8_t>(value(digits[at]) * 16 + value(digits[at + 1])));
    return bytes;
}

Bytes hmac(std::span<const std::uint8_t> key, const Bytes& message)
{
    Bytes result(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    if (::HMAC(EVP_sha512(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), result.data(),
               &length) == nullptr)
        fail(Error::Kind::system, "computing an HMAC failed");
    result.resize(length);
    return result;
}

std::string base64(const Bytes& bytes)
{
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0'); // EVP_EncodeBlock writes a NUL, too
    const int length =
        ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
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
    OPENSSL_cleanse(content->data(), content->size());
    return Keys{bytes};
}

std::string Keys::sign(const model::PodId& signer, std::string_view content) const
{
    auto message = uuid_bytes(signer);
    message.insert(message.end(), content.begin(), content.end());
    return base64(hmac(std::span{bytes_}.first<half>(), message));
}

bool Keys::verify(const model::PodId& signer, std::string_view content, std::string_view signature) const
{
    return is_equal(sign(signer, content), signature);
}

std::string Keys::token(const model::PodId& pod) const
{
    auto code = hmac(std::span{bytes_}.last<half>(), uuid_bytes(pod));
    code.resize(token_bytes);
    return text::hex(code);
}

bool is_equal(std::string_view one, std::string_view other) noexcept
{
    return one.size() == other.size() && ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

} // namespace rocket::metadata

// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/content_digest.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::store
{

namespace
{

constexpr std::string_view alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view encoded_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=_-";

std::variant<Sha256Hasher, Sha512Hasher> hasher_for(std::string_view algorithm)
{
    if (algorithm == "sha512")
        return Sha512Hasher{};
    return Sha256Hasher{};
}

// [a-z0-9]+([+._-][a-z0-9]+)*
bool is_algorithm(std::string_view text)
{
    bool after_separator = true;
    for (const char c : text) {
        const bool separator = std::string_view{"+._-"}.find(c) != std::string_view::npos;
        if (separator ? after_separator : alphanumeric.find(c) == alphanumeric.npos)
            return false;
        after_separator = separator;
    }
    return !after_separator;
}

} // namespace

ContentDigest ContentDigest::parse(std::string_view text)
{
    const auto colon = text.find(':');
    const auto algorithm = text.substr(0, colon);
    const auto encoded = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
    if (!is_algorithm(algorithm) || encoded.empty() || encoded.find_first_not_of(encoded_characters) != encoded.npos)
        fail(Error::Kind::corrupt, "{} is not a digest", text::quoted(text.substr(0, 200)));
    const std::size_t digits = algorithm == "sha256" ? 64 : algorithm == "sha512" ? 128 : 0;
    if (digits == 0)
        throw Error{Error::Kind::unsupported,
                    fmt::format("nothing can be verified by a digest of the kind {}", text::quoted(algorithm)),
                    "sha256 and sha512 can be"};
    if (encoded.size() != digits || !text::is_lower_hex(encoded))
        fail(Error::Kind::corrupt, "{} is not a digest", text::quoted(text.substr(0, 200)));
    return ContentDigest{std::string{text}};
}

ContentDigest ContentDigest::of(std::string_view bytes)
{
    Sha256Hasher hasher;
    hasher.add(bytes);
    return ContentDigest{"sha256:" + text::hex(hasher.finish())};
}

std::string ContentDigest::key() const
{
    auto key = text_;
    key[key.find(':')] = '-';
    return key;
}

std::string_view ContentDigest::algorithm() const noexcept
{
    return std::string_view{text_}.substr(0, text_.find(':'));
}

std::string_view ContentDigest::hex() const noexcept
{
    return std::string_view{text_}.substr(text_.find(':') + 1);
}

ContentHasher::ContentHasher(const ContentDigest& wanted) : hasher_{hasher_for(wanted.algorithm())} {}

void ContentHasher::add(std::string_view bytes)
{
    std::visit([&](auto& hasher) { hasher.add(bytes); }, hasher_);
}

ContentDigest ContentHasher::finish()
{
    if (auto* sha512 = std::get_if<Sha512Hasher>(&hasher_))
        return ContentDigest{"sha512:" + text::hex(sha512->finish())};
    return ContentDigest{"sha256:" + text::hex(std::get<Sha256Hasher>(hasher_).finish())};
}

bool matches(const ContentDigest& digest, std::string_view bytes)
{
    ContentHasher hasher{digest};
    hasher.add(bytes);
    return hasher.finish() == digest;
}

} // namespace rocket::store

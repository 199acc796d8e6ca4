// SPDX-License-Identifier: Apache-2.0
// How Docker and OCI documents name content: "sha256:" or "sha512:" and the digest in lower-case hex (OREF-6). A digest
// of another algorithm is well-formed, but nothing can be verified with it: Kind::unsupported. Other errors:
// Kind::corrupt.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <variant>

#include "stage0/store/hash.hh"

namespace rocket::store
{

class ContentDigest
{
public:
    static ContentDigest parse(std::string_view text);
    static ContentDigest of(std::string_view bytes); // by SHA-256

    const std::string& str() const noexcept { return text_; } // "sha256:ab..."
    std::string key() const;                                  // "sha256-ab...": a file name
    std::string_view algorithm() const noexcept;
    std::string_view hex() const noexcept;
    bool operator==(const ContentDigest&) const = default;
    auto operator<=>(const ContentDigest&) const = default;

private:
    friend class ContentHasher;
    explicit ContentDigest(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

// Hashes content the way the digest it is compared with does.
class ContentHasher
{
public:
    explicit ContentHasher(const ContentDigest& wanted);
    void add(std::string_view bytes);
    ContentDigest finish();

private:
    std::variant<Sha256Hasher, Sha512Hasher> hasher_;
};

bool matches(const ContentDigest& digest, std::string_view bytes);

} // namespace rocket::store

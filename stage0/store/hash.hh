// SPDX-License-Identifier: Apache-2.0
// Streaming digests by libgcrypt, which libsystemd has loaded anyway (libcrypto is as fast and costs each start of
// `rocket` 0.6 ms). SHA-512 names images (IID-1); SHA-256 is for what only we compare (tree digests): common processors
// have instructions for it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct gcry_md_handle;

namespace rocket::store
{

using Sha256 = std::array<std::uint8_t, 32>;
using Sha512 = std::array<std::uint8_t, 64>;

// The library reads files when it is used first; a confined process cannot do so later.
void prepare_hashes();

Sha256 hmac_sha256(std::string_view key, std::string_view message);
Sha512 hmac_sha512(std::string_view key, std::string_view message);

namespace detail
{
class Hasher
{
public:
    explicit Hasher(int algorithm);
    void add(std::string_view bytes);

protected:
    void finish(std::span<std::uint8_t> digest); // and begins anew

private:
    struct Free {
        void operator()(gcry_md_handle* handle) const noexcept;
    };
    std::unique_ptr<gcry_md_handle, Free> handle_;
};
} // namespace detail

class Sha256Hasher : public detail::Hasher
{
public:
    Sha256Hasher();
    Sha256 finish();
};

class Sha512Hasher : public detail::Hasher
{
public:
    Sha512Hasher();
    Sha512 finish();
};

} // namespace rocket::store

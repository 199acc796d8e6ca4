// SPDX-License-Identifier: Apache-2.0
// Streaming digests by libcrypto. SHA-512 names images (IID-1); SHA-256 is for what only we compare (tree digests):
// common processors have instructions for it. prepare_hashes() loads both: a confined process cannot do so later.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct evp_md_ctx_st;
struct evp_md_st;

namespace rocket::store
{

using Sha256 = std::array<std::uint8_t, 32>;
using Sha512 = std::array<std::uint8_t, 64>;

void prepare_hashes();

namespace detail
{
class Hasher
{
public:
    explicit Hasher(const evp_md_st* algorithm);
    void add(std::string_view bytes);

protected:
    void finish(std::span<std::uint8_t> digest); // and begins anew

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    const evp_md_st* algorithm_;
    std::unique_ptr<evp_md_ctx_st, Free> context_;
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

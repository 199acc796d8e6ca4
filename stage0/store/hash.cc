// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/hash.hh"

#include <gcrypt.h>

#include <algorithm>

#include "common/sys/error.hh"

namespace rocket::store
{

namespace
{

void start_library()
{
    [[maybe_unused]] static const bool started = [] {
        if (::gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) == 0) { // libsystemd may have been first
            ::gcry_check_version(nullptr);
            ::gcry_control(GCRYCTL_DISABLE_SECMEM, 0); // for private keys: there are none
            ::gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        }
        return true;
    }();
}

gcry_md_hd_t open(int algorithm, unsigned flags)
{
    start_library();
    gcry_md_hd_t handle = nullptr;
    if (::gcry_md_open(&handle, algorithm, flags) != 0)
        fail(Error::Kind::unsupported, "libgcrypt cannot compute {}", ::gcry_md_algo_name(algorithm));
    return handle;
}

template <typename Digest>
Digest hmac(int algorithm, std::string_view key, std::string_view message)
{
    const std::unique_ptr<gcry_md_handle, decltype(&::gcry_md_close)> handle{open(algorithm, GCRY_MD_FLAG_HMAC),
                                                                             &::gcry_md_close};
    if (::gcry_md_setkey(handle.get(), key.data(), key.size()) != 0)
        fail(Error::Kind::system, "libgcrypt takes no such key");
    ::gcry_md_write(handle.get(), message.data(), message.size());
    Digest digest{};
    std::copy_n(::gcry_md_read(handle.get(), algorithm), digest.size(), digest.begin());
    return digest;
}

} // namespace

void prepare_hashes()
{
    start_library();
}

Sha256 hmac_sha256(std::string_view key, std::string_view message)
{
    return hmac<Sha256>(GCRY_MD_SHA256, key, message);
}

Sha512 hmac_sha512(std::string_view key, std::string_view message)
{
    return hmac<Sha512>(GCRY_MD_SHA512, key, message);
}

namespace detail
{

void Hasher::Free::operator()(gcry_md_handle* handle) const noexcept
{
    ::gcry_md_close(handle);
}

Hasher::Hasher(int algorithm) : handle_{open(algorithm, 0)} {}

void Hasher::add(std::string_view bytes)
{
    ::gcry_md_write(handle_.get(), bytes.data(), bytes.size());
}

void Hasher::finish(std::span<std::uint8_t> digest)
{
    std::copy_n(::gcry_md_read(handle_.get(), 0), digest.size(), digest.begin()); // of the one algorithm it has
    ::gcry_md_reset(handle_.get());
}

} // namespace detail

Sha256Hasher::Sha256Hasher() : Hasher{GCRY_MD_SHA256} {}

Sha256 Sha256Hasher::finish()
{
    Sha256 digest{};
    Hasher::finish(digest);
    return digest;
}

Sha512Hasher::Sha512Hasher() : Hasher{GCRY_MD_SHA512} {}

Sha512 Sha512Hasher::finish()
{
    Sha512 digest{};
    Hasher::finish(digest);
    return digest;
}

} // namespace rocket::store

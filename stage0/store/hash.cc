// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/hash.hh"

#include <openssl/evp.h>

#include "common/sys/error.hh"

namespace rocket::store
{

namespace
{

const EVP_MD* fetch(const char* name)
{
    const EVP_MD* algorithm = ::EVP_MD_fetch(nullptr, name, nullptr); // kept for the life of the process
    if (algorithm == nullptr)
        fail(Error::Kind::unsupported, "libcrypto has no {}", name);
    return algorithm;
}

const EVP_MD* sha256()
{
    static const EVP_MD* algorithm = fetch("SHA256");
    return algorithm;
}

const EVP_MD* sha512()
{
    static const EVP_MD* algorithm = fetch("SHA512");
    return algorithm;
}

void demand(int success)
{
    if (success != 1)
        fail(Error::Kind::system, "libcrypto cannot compute a digest");
}

} // namespace

void prepare_hashes()
{
    sha256();
    sha512();
}

namespace detail
{

void Hasher::Free::operator()(EVP_MD_CTX* context) const noexcept
{
    ::EVP_MD_CTX_free(context);
}

Hasher::Hasher(const EVP_MD* algorithm) : algorithm_{algorithm}, context_{::EVP_MD_CTX_new()}
{
    demand(context_ ? ::EVP_DigestInit_ex(context_.get(), algorithm_, nullptr) : 0);
}

void Hasher::add(std::string_view bytes)
{
    demand(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

void Hasher::finish(std::span<std::uint8_t> digest)
{
    demand(::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
    demand(::EVP_DigestInit_ex(context_.get(), algorithm_, nullptr));
}

} // namespace detail

Sha256Hasher::Sha256Hasher() : Hasher{sha256()} {}

Sha256 Sha256Hasher::finish()
{
    Sha256 digest{};
    Hasher::finish(digest);
    return digest;
}

Sha512Hasher::Sha512Hasher() : Hasher{sha512()} {}

Sha512 Sha512Hasher::finish()
{
    Sha512 digest{};
    Hasher::finish(digest);
    return digest;
}

} // namespace rocket::store

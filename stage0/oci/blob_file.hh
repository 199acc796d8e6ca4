// SPDX-License-Identifier: Apache-2.0
// A blob on its way from a registry, in DATA/cas/partial: what has come of it outlives a command that is killed, and
// the next one goes on from there (ODIST-7). While two commands fetch the same blob, the second has a file without a
// name. Whoever gets the bytes checks their digest. Errors: Kind::system.
#pragma once

#include <optional>

#include "common/model/layout.hh"
#include "common/sys/fd.hh"
#include "stage0/store/content_digest.hh"
#include "stage0/store/named_lock.hh"

namespace rocket::oci
{

class BlobFile
{
public:
    BlobFile(const model::Layout& layout, const store::ContentDigest& digest);
    BlobFile(const BlobFile&) = delete;
    BlobFile& operator=(const BlobFile&) = delete;
    ~BlobFile(); // what is complete is kept no longer than this

    Fd& fd() noexcept { return data_; }
    std::uint64_t size() const;
    bool has_digest() const; // reads it all
    void clear();
    void set_complete() noexcept { is_complete_ = true; }

private:
    void open_named(const model::Layout& layout);

    store::ContentDigest digest_;
    std::string key_;
    std::optional<store::NamedLock> lock_; // none: the file has no name
    Fd all_;
    Fd data_;
    bool is_complete_ = false;
};

} // namespace rocket::oci

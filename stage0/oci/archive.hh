// SPDX-License-Identifier: Apache-2.0
// Image layouts (oci:DIR, oci-archive:FILE) and archives of `docker save` (docker-archive:FILE): files by name, from a
// directory or from within a tar, which is listed by a confined worker and never unpacked (OLAY-5). Links are followed
// inside only. Errors: Kind::not_found, Kind::corrupt.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "stage0/oci/content.hh"
#include "stage0/store/unpacker.hh"
#include "stage0/unpack/members.hh"

namespace rocket::oci
{

class Files
{
public:
    virtual ~Files() = default;
    virtual std::optional<Bytes> find(const std::string& path) const = 0;
    Bytes open(const std::string& path) const; // Kind::not_found if it is not there
    std::string read(const std::string& path, std::uint64_t limit) const;
};

class Directory : public Files
{
public:
    explicit Directory(const std::string& path);
    std::optional<Bytes> find(const std::string& path) const override;

private:
    Fd dir_;
};

class Archive : public Files
{
public:
    // `scratch`: a directory for the uncompressed form of a compressed archive, in a file without a name.
    Archive(const std::string& path, const std::string& scratch, const store::Options& options);
    std::optional<Bytes> find(const std::string& path) const override;

private:
    std::shared_ptr<Fd> tar_;
    unpack::Members members_;
};

// blobs/ALGORITHM/HEX of an image layout.
class LayoutContent : public Content
{
public:
    explicit LayoutContent(const Files& files) : files_{files} {}
    std::string document(const Descriptor& descriptor, std::uint64_t limit) override;
    void layers(std::span<const LayerPlace> places, const OnLayer& done) override;

private:
    const Files& files_;
};

// The descriptor of index.json that `name` means (OLAY-1, OLAY-3), by itself in an index: several, if they differ only
// in their platforms. `name` empty: the only one.
Index find_in_layout(const Files& files, const std::string& name);

} // namespace rocket::oci

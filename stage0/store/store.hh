// SPDX-License-Identifier: Apache-2.0
// The image store: DATA/cas, as common/model/layout.hh names it. Images and trees are immutable; each appears by one
// rename, after its content is on disk, and vanishes by one rename into DATA/garbage (R13, R15). A SIGKILL or power
// cut at any point leaves the old state or the new one; the next command that writes sweeps what is left over.
// Reading needs no lock and no write access. An image that lacks a file, or has a broken one, counts as absent.
// Errors: Kind::not_found, Kind::busy, Kind::corrupt; Kind::usage for ambiguous ids.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/image_manifest.hh"
#include "common/model/image_name.hh"
#include "common/model/layout.hh"
#include "stage0/store/record.hh"
#include "stage0/unpack/limits.hh"

namespace rocket::store
{

// How a command takes part in long work: called often; may print progress, extend a start-up time-out, or throw.
using Tick = std::function<void(std::uint64_t done, std::uint64_t total)>; // bytes; total 0: not known

struct Options {
    unpack::Limits limits = {};
    bool allow_devices = false;
    Tick tick = {};
};

// What list() and the look-ups work on; kept in the index.
struct Entry {
    model::ImageId id;
    model::AcIdentifier name;
    model::Labels labels = {};
    std::uint64_t size = 0; // the uncompressed image and its rendered tree
    std::int64_t imported_ns = 0;
    bool verified = false;
};

class Store
{
public:
    // Nothing is made or read yet; a store that does not exist is an empty one.
    explicit Store(model::Layout layout, Options options = {});

    const model::Layout& layout() const noexcept { return layout_; }
    const Options& options() const noexcept { return options_; }

    // --- look-ups (cli 4.1)
    std::vector<Entry> list() const; // in the order of their ids
    model::ImageId find(const model::ImageIdPrefix& prefix) const;
    // Every label asked for is there and equal; the most recently imported one wins.
    std::optional<Entry> find(const model::ImageName& name) const;
    bool has(const model::ImageId& id) const;

    Record record(const model::ImageId& id) const;
    std::string manifest_bytes(const model::ImageId& id) const;
    model::ImageManifest manifest(const model::ImageId& id) const;
    Fd open_archive(const model::ImageId& id) const;
    std::int64_t last_used_ns(const model::ImageId& id) const;
    void mark_used(const model::ImageId& id) const; // not being allowed to is no error

    // --- the rendered tree
    bool is_rendered(const model::ImageId& id) const;
    // The absolute path of the tree's rootfs, rendered from the archive if it is not there yet. Needs root.
    std::string render(const model::ImageId& id);

    // --- changes
    // Refused while a pod that has not ended uses the image (Kind::busy). False: it was there no more.
    bool remove(const model::ImageId& id);
    // Makes the directories that are missing, sweeps leftovers of commands that were killed, brings the index up to
    // date. Called by whatever writes; safe at any time, and while others write.
    void tidy();

private:
    model::Layout layout_;
    Options options_;
};

} // namespace rocket::store

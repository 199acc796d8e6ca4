// SPDX-License-Identifier: Apache-2.0
// Layers of Docker and OCI images: DATA/cas/layer/<digest of the tar>/{archive, seams, record.json} and the tree in
// DATA/cas/tree/<same>. Each is fetched and unpacked once, however many images have it; the crash protocol is that of
// images. A layer that lacks a file counts as absent. Needs root. Errors: Kind::corrupt for a layer that is not what
// its digests say; Kind::not_found.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/sys/lock.hh"
#include "stage0/store/content_digest.hh"
#include "stage0/store/store.hh"
#include "stage0/store/top_tree.hh"

namespace rocket::store
{

struct LayerRecord {
    ContentDigest diff_id; // of the tar
    ContentDigest archive; // of the archive, compressed as it came
    std::uint64_t archive_bytes = 0;
    std::uint64_t tar_bytes = 0;
    std::uint64_t tree_bytes = 0; // of the files in it
    std::string tree_digest = {}; // hex

    static LayerRecord parse(std::string_view text);
    std::string write() const;
};

// Bytes of a layer as they come: a regular file, or a part of one.
struct LayerSource {
    int file = -1;
    std::uint64_t begin = 0;
    std::uint64_t size = UINT64_MAX;
    std::optional<ContentDigest> digest = {}; // of these bytes; nullopt: nobody has said
};

class LayerStore
{
public:
    explicit LayerStore(const Store& store) : store_{store} {}

    // Layers are swept when no image names them, but not while anybody holds this.
    Lock keep() const;

    bool has(const ContentDigest& diff_id) const; // whole, with its tree
    LayerRecord record(const ContentDigest& diff_id) const;
    // Reads it once: both digests are checked, and only then is it there. One that is there already is left alone.
    void import(const ContentDigest& diff_id, const LayerSource& source) const;
    // Its tree, unpacked from the archive if it is missing.
    LayerTree render(const ContentDigest& diff_id) const;
    // Reads archive and tree again. What was wrong with the tree, which is made anew; empty: nothing. A damaged
    // archive is Kind::corrupt.
    std::string verify(const ContentDigest& diff_id) const;
    // Takes away the layers that are not among `used`, which is asked when nobody can come to use another.
    void sweep(const std::function<std::set<ContentDigest>()>& used) const;

private:
    void import_locked(const ContentDigest& diff_id, const LayerSource& source) const;
    void render_locked(const LayerRecord& record) const;
    std::string directory(const ContentDigest& diff_id) const { return store_.layout().layer(diff_id.key()); }

    const Store& store_;
};

} // namespace rocket::store

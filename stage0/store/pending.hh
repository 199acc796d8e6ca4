// SPDX-License-Identifier: Apache-2.0
// Images made of layers that members of the group rocket have fetched. Members cannot render, so such an image is in
// DATA/cas/image/<id> with all that it was received as: documents and layers, each in a file named by its digest, its
// signatures, and what was asked for. Root believes none of it (writer.hh): it takes the image in anew before it uses
// it, as if these files came from a registry, digest by digest (stage0/image/pending.cc), and makes an image of its own
// of them. Errors: as in import.hh.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stage0/store/import.hh"
#include "stage0/store/layer_stack.hh"
#include "stage0/store/layer_store.hh"

namespace rocket::store
{

// What nobody can tell from the documents.
struct PendingFacts {
    std::string reference;       // that was asked for: docker://NAME, oci:PATH[:NAME]
    ContentDigest document;      // that it meant: a manifest, or an index; of docker save, the configuration
    std::string media_type = {}; // that came with it
    std::string platform = {};   // OS/ARCH[/VARIANT]; empty: the host's

    static PendingFacts parse(std::string_view text);
    std::string write() const;
};

// The files of such an image, as somebody else has left them: whoever reads compares with digests.
class PendingImage
{
public:
    explicit PendingImage(Fd directory) : dir_{std::move(directory)} {}

    std::optional<PendingFacts> facts() const; // nullopt: it is no such image
    std::optional<Fd> find(const ContentDigest& digest) const { return find(digest.key()); } // a regular file
    std::optional<Fd> find(const std::string& name) const;
    std::optional<std::string> signature(unsigned number) const; // from 1

    // The file of a layer that came without a digest of what was received (docker save).
    static std::string layer_name(const ContentDigest& diff_id) { return "layer-" + diff_id.key(); }

private:
    Fd dir_;
};

// A layer as received, of any such image.
std::optional<Fd> find_pending_layer(const model::Layout& layout, const ContentDigest& digest);

// The other side: a member makes one.
class PendingImport
{
public:
    // `layers`: diff ids, the lowest first.
    PendingImport(Store& store, std::vector<ContentDigest> layers);

    // One of them, by its place, to disk: both digests are checked, as far as they are known. Several threads may call
    // it.
    enum class Keep {
        copy,
        link,      // a file of members, that nobody writes to any more
        elsewhere, // root has the layer in its store
    };
    void add_layer(std::size_t place, const LayerSource& source, Keep keep, const Tick& tick);
    // Once all layers are there: what users and groups are looked up in. Owners and modes in it mean nothing, and links
    // from one layer into another are left out.
    LayerStack tree() const;

    struct Content {
        PendingFacts facts;
        std::map<ContentDigest, std::string> documents;
        std::vector<std::string> signatures;
        std::string manifest; // of the appc image
        std::string oci_config;
        std::string oci_manifest; // empty: there is none (docker save)
    };
    model::ImageId publish(const Content& content, const Import::Facts& facts);

private:
    Fd make_copy(std::size_t place, const LayerSource& source, Keep keep) const; // none: it is linked, or elsewhere
    Fd tree_of(std::size_t place) const;
    Fd make_tree(std::size_t place) const;

    Store& store_;
    std::vector<ContentDigest> layers_;
    Staging staging_;
    std::mutex mutex_;
    std::uint64_t archive_bytes_ = 0;
    std::uint64_t tar_bytes_ = 0;
    std::uint64_t tree_bytes_ = 0;
};

} // namespace rocket::store

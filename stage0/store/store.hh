// SPDX-License-Identifier: Apache-2.0
// The image store: DATA/cas, as common/model/layout.hh names it. Images and trees are immutable; each appears by one
// rename, after its content is on disk, and vanishes by one rename into DATA/garbage (R13, R15). A SIGKILL or power
// cut at any point leaves the old state or the new one; the next command that writes sweeps what is left over.
// Reading needs no lock and no write access. An image that lacks a file, or has a broken one, counts as absent. Who may
// write, and what of it root believes, is in writer.hh.
// Errors: Kind::not_found, Kind::busy, Kind::corrupt; Kind::usage for ambiguous ids.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/image_manifest.hh"
#include "common/model/image_name.hh"
#include "common/model/layout.hh"
#include "common/sys/fd.hh"
#include "stage0/store/entry.hh"
#include "stage0/store/record.hh"
#include "stage0/store/unpacker.hh"
#include "stage0/store/usage.hh"

namespace rocket::store
{

struct Options {
    unpack::Limits limits = {};
    bool allow_devices = false;
    Tick tick = {};                                       // called often during long work
    std::function<void(const std::string&)> on_wait = {}; // another process has the image: what it is waited for
    std::function<void(const std::string&)> warn = {};
    std::function<void(const std::string&)> debug = {};
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
    // Those of that name with every label asked for: first what is believed, the most recently imported one first.
    std::vector<Entry> find(const model::ImageName& name) const;
    bool has(const model::ImageId& id) const;

    // Root: who else could have written the image, if anybody could; then all of the following but the last throw
    // Kind::untrusted, and what list() and find() say of it is hearsay (writer.hh).
    std::optional<std::string> other_writer(const model::ImageId& id) const;
    Record record(const model::ImageId& id) const;
    std::string manifest_bytes(const model::ImageId& id) const;
    model::ImageManifest manifest(const model::ImageId& id) const;
    Fd open_archive(const model::ImageId& id) const;
    // The two files that say themselves what they are worth, whoever wrote them; no signature: empty.
    struct Raw {
        Fd archive;
        std::string signature;
    };
    Raw open_raw(const model::ImageId& id) const;
    Fd open_hearsay(const model::ImageId& id) const; // its directory, whoever wrote what is there
    std::int64_t last_used_ns(const model::ImageId& id) const;
    void mark_used(const model::ImageId& id) const;                      // not being allowed to is no error
    std::optional<Entry> find_dependent(const model::ImageId& id) const; // one of those that depend on it

    // --- the rendered tree
    bool is_rendered(const model::ImageId& id) const;
    // The absolute paths of its trees' rootfs, the topmost first, rendered from what was received if they are not there
    // yet, together with whatever the image depends on. Needs root.
    std::vector<std::string> render(const model::ImageId& id);
    // Reads everything again: archive against id, tree against archive, first those of its dependencies. Damaged trees
    // are rendered anew; a damaged archive is Kind::corrupt. Needs root.
    struct Verdict {
        bool was_rendered = false;
        std::string tree_damage = {}; // what was wrong with the tree; empty: nothing
        bool lacks_set_ids = false;   // the tree, or one of its layers'
    };
    Verdict verify(const model::ImageId& id);
    // Writes the uncompressed image, whose digest has to be the id. An image made of layers is written as the one that
    // it would be without layers; that one has an id of its own.
    void write_image(const model::ImageId& id, int to) const;
    // Unpacks the image's own content into the empty directory `rootfs`; the manifest's bytes. Not being root, files
    // become the caller's, and set-id bits and attributes are left out.
    std::string extract(const model::ImageId& id, int rootfs) const;

    // --- changes
    // Kind::busy while such a pod uses the image, or another image depends on it; false: it was not there.
    bool remove(const model::ImageId& id, Using which = Using::alive);
    // Makes the directories that are missing, sweeps leftovers of commands that were killed, brings the index up to
    // date. Called by whatever writes; safe at any time, and while others write.
    void tidy();

private:
    Verdict verify_once(const model::ImageId& id, std::set<model::ImageId>& done);
    void refuse_if_used(const model::ImageId& id, Using which) const;
    Fd open_image(const model::ImageId& id) const; // its directory, if it is believed

    model::Layout layout_;
    Options options_;
};

} // namespace rocket::store

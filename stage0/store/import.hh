// SPDX-License-Identifier: Apache-2.0
// One image on its way into the store. The constructor reads it all, once: a copy of the archive as received, the
// manifest and the rendered tree end up in a staging directory. Then the caller decides whether it may come in, with
// the copy, which nobody else can change, to decide on; publish() puts it in place. Without publish() nothing of it
// remains. A download is copied, too, rather than renamed: the worker that fetched it has it open for writing as long
// as the command lives, and could change it after it was hashed; no rename takes that away, and only files in memory
// can be sealed. Bytes are hashed on their way from the one file into the other, so what is kept is what was checked.
// Errors: Kind::corrupt for a bad image; Kind::system, a full disk for example.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/model/image_manifest.hh"
#include "stage0/store/staging.hh"
#include "stage0/store/store.hh"

namespace rocket::store
{

class Import
{
public:
    Import(Store& store, int archive);

    const model::ImageId& id() const noexcept { return unpacked_.id; }
    const model::ImageManifest& manifest() const noexcept { return manifest_; }
    int archive() const noexcept { return archive_.get(); } // the copy

    // On what grounds it is let in; see Record.
    struct Facts {
        std::string requested;
        std::string source;
        std::string source_stamp = {};
        std::optional<std::string> fingerprint = {};
        std::string signature = {}; // the bytes that were verified
        std::vector<std::string> insecure = {};
        std::vector<model::ImageId> dependencies = {}; // in the order of the manifest, all in the store
    };
    // An image that is there already stays, and gets the better grounds of the two.
    void publish(const Facts& facts);

private:
    void write_files(const Record& record, const Facts& facts);

    Store& store_;
    Staging staging_;
    Fd archive_;
    bool with_tree_;
    Unpacked unpacked_;
    model::ImageManifest manifest_;
};

} // namespace rocket::store

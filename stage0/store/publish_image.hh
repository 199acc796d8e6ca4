// SPDX-License-Identifier: Apache-2.0
// The last step of every import: an image's directory, made in a staging directory, gets its place by one rename.
#pragma once

#include <string_view>

#include "stage0/store/staging.hh"
#include "stage0/store/store.hh"

namespace rocket::store
{

// The directory of an image while it is staged.
class StagedImage
{
public:
    explicit StagedImage(const Staging& staging);          // made if it is not there
    Fd create(const char* name, mode_t mode = 0640) const; // exact mode, read and write
    int fd() const noexcept { return dir_.get(); }
    void write(const char* name, std::string_view content, mode_t mode = 0640) const;

private:
    Fd dir_;
};

// An image that is there stays if it is whole, believed and was let in on grounds as good as ours. Otherwise it is
// exchanged for ours in one step, archive and all: our signature is for our archive, which may be compressed
// differently. The caller holds the image's lock and has brought the files to disk.
void publish_staged_image(const Store& store, const Staging& staging, const model::ImageId& id, bool verified);

} // namespace rocket::store

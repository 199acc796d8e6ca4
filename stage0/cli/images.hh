// SPDX-License-Identifier: Apache-2.0
// Images for commands that need them ready to run: the store, the keystore and the user's options put together.
#pragma once

#include <memory>

#include "common/sys/fd.hh"
#include "stage0/cli/context.hh"
#include "stage0/cli/keys.hh"
#include "stage0/cli/progress.hh"
#include "stage0/image/acquire.hh"
#include "stage0/pod/image.hh"
#include "stage0/store/store.hh"

namespace rocket::cli
{

std::string name_in_messages(const std::string& image); // quoted, without a password

class ImageSource
{
public:
    explicit ImageSource(const Context& context);
    ImageSource(const ImageSource&) = delete; // its parts point to each other
    ImageSource& operator=(const ImageSource&) = delete;
    // Found or fetched, verified unless --insecure-options=image.
    model::ImageId fetch(const image::Request& request);
    // The same, and rendered.
    pod::Image acquire(const image::Request& request);
    // For a pod that this process becomes: in place in the host's own store, if we may use that and it is there.
    pod::Image acquire_for_own_pod(const image::Request& request);
    // For a pod that starts later, or runs already: from our own store, since the host keeps its images for the process
    // that has asked for them alone. An error says whether the host has it.
    pod::Image acquire_for_other_pod(const image::Request& request);
    // The same for a file in a place that only whoever installed us can write to: its signature is not looked at.
    pod::Image acquire_unsigned(const image::Request& request);
    // Of an image in the store: see image::Session.
    void take_over(const model::ImageId& id);

private:
    image::Hooks hooks();
    pod::Image ready(const model::ImageId& id);
    bool may_use_host(const image::Request& request) const;
    pod::Image from_host(image::Request request);
    bool is_on_host(const image::Request& request) const;

    const Context& context_;
    Progress progress_;
    store::Store store_;
    std::unique_ptr<image::Verifier> verifier_; // null: signatures are not looked at
    image::Network network_;
    KeyFinder keys_;
    image::Acquirer acquirer_;
};

// The store alone, for commands that only look at images or remove them. `progress` has to outlive it.
store::Store open_store(const Context& context, Progress& progress);
// An image of that store (image::find_in_store()) to be read; root first takes in what somebody else has put there.
model::ImageId find_to_read(const Context& context, const store::Store& store, const std::string& image);

} // namespace rocket::cli

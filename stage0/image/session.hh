// SPDX-License-Identifier: Apache-2.0
// What all sources of images share while a command acquires its images: the store, who decides on signatures, what is
// told to the user, and the steps between bytes that are here and an image in the store. Nothing enters the store that
// was not verified, unless the caller gave up on signatures; and an image that was let in that way satisfies only
// requests that do the same (R11).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/model/image_manifest.hh"
#include "stage0/image/dependencies.hh"
#include "stage0/image/verifier.hh"
#include "stage0/store/import.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/store.hh"

namespace rocket::image
{

constexpr std::size_t largest_signature = std::size_t{64} << 10;

struct Hooks {
    std::function<void(const std::string&)> say = {};   // for the user, on stderr: "signature verified:" ...
    std::function<void(const std::string&)> debug = {}; // only with --debug
};

class Session
{
public:
    // `verifier` may be null: then signatures are not looked at (--insecure-options=image).
    Session(store::Store& store, Verifier* verifier, Hooks hooks);

    store::Store& store() const noexcept { return store_; }
    bool checks_signatures() const noexcept { return verifier_ != nullptr; }
    void say(const std::string& line) const;
    void debug(const std::string& line) const;

    Dependencies& dependencies() noexcept { return dependencies_; }

    // The last steps of every source: is the signature good (unless nobody checks), is all there that the image depends
    // on, publish.
    // `facts` says where the image came from; the grounds it is let in on are added here.
    model::ImageId admit(store::Import& import, store::Import::Facts facts, const std::string& signature);
    // Throws Kind::untrusted if the request checks signatures and that image's was never checked.
    void require_verified(const model::ImageId& id) const;
    // Two commands that fetch the same thing do the work once: the second waits, and finds what the first has done.
    store::NamedLock lock(const std::string& what) const;

private:
    std::string verify(const store::Import& import, const std::string& signature) const; // the key's fingerprint

    store::Store& store_;
    Verifier* verifier_;
    Hooks hooks_;
    Dependencies dependencies_;
};

} // namespace rocket::image

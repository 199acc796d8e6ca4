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
#include "common/model/image_name.hh"
#include "stage0/image/dependencies.hh"
#include "stage0/image/network.hh"
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
    // Of a download, several times a second: what ("ACI", "signature"), bytes that are here, and how many there will
    // be.
    std::function<void(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total)> progress = {};
    // The same of a layer of an image, several of which may be under way, from any thread: "Downloading layer
    // 0123456789ab".
    std::function<void(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total)> part = {};
    // Before an image of that name is looked for, if signatures are checked: may find, offer and store keys for it.
    std::function<void(const model::AcIdentifier& name)> find_keys = {};
};

class Session
{
public:
    // `verifier` may be null: then signatures are not looked at (--insecure-options=image).
    Session(store::Store& store, Verifier* verifier, Network& network, Hooks hooks);
    Session(const Session&) = delete; // its parts point to each other
    Session& operator=(const Session&) = delete;

    store::Store& store() const noexcept { return store_; }
    Network& network() const noexcept { return network_; }
    bool checks_signatures() const noexcept { return verifier_ != nullptr; }
    const Hooks& hooks() const noexcept { return hooks_; }
    void say(const std::string& line) const;
    void debug(const std::string& line) const;
    // `doing`: "Downloading", "Unpacking". Null if nobody wants to know.
    using LayerProgress =
        std::function<void(const store::ContentDigest& layer, std::uint64_t done, std::optional<std::uint64_t> total)>;
    LayerProgress layer_progress(const std::string& doing) const;

    Dependencies& dependencies() noexcept { return dependencies_; }

    // The last steps of every source: is the signature good (unless nobody checks), is all there that the image depends
    // on, publish. `facts` says where the image came from; the grounds it is let in on are added here. If a name is
    // expected, the image has to be that one (DISC-31).
    model::ImageId admit(store::Import& import, store::Import::Facts facts, const std::string& signature,
                         const model::ImageName* expected = nullptr);
    // Before an image is downloaded: Kind::untrusted if its signature is by nobody who is trusted for that name.
    void check_issuer(const model::AcIdentifier& name, const std::string& signature) const;
    // A message that is signed by somebody who is trusted for that name; signatures are checked.
    Opened open_message(const model::AcIdentifier& name, const std::string& message) const;
    // The same, by a key of these files.
    Opened open_message(const model::AcIdentifier& name, const std::string& message,
                        const std::vector<std::string>& key_files) const;
    void tell_signer(const Verified& verified) const;
    // A request for something at `url` that takes part in progress, with the credentials for images.
    fetch::Request request(const fetch::Url& url, std::string what) const;
    // Before root uses an image of the store that somebody else could have written: takes it in anew, as its own, on
    // the grounds of the archive and the signature alone (stage0/store/writer.hh); Kind::untrusted if they are not
    // enough.
    void take_over(const model::ImageId& id);
    // Throws Kind::untrusted if the request checks signatures and that image's was never checked, or was by a key that
    // is not trusted any more. What a policy demands is in allowed.hh.
    void require_verified(const model::ImageId& id) const;
    // Whether `demand` is met: what it throws as Kind::untrusted is only told to --debug, and means no.
    bool is_met(const std::function<void()>& demand) const;
    // Two commands that fetch the same thing do the work once: the second waits, and finds what the first has done.
    store::NamedLock lock(const std::string& what) const;

private:
    std::string verify(const store::Import& import, const std::string& signature) const; // the key's fingerprint

    store::Store& store_;
    Verifier* verifier_;
    Network& network_;
    Hooks hooks_;
    Dependencies dependencies_;
};

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
// From what a user typed for IMAGE to an image in the store that may be run: found there, or fetched (cli 4). Nothing
// enters the store that was not verified, unless the caller gave up on signatures; and an image that was let in that
// way satisfies only requests that do the same (R11). Errors: Kind::not_found, Kind::untrusted, Kind::usage,
// Kind::unsupported for sources that this build cannot fetch from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stage0/image/reference.hh"
#include "stage0/image/verifier.hh"
#include "stage0/store/import.hh"
#include "stage0/store/store.hh"

namespace rocket::image
{

enum class PullPolicy { fresh, update, never };      // "new", "update", "never"
PullPolicy parse_pull_policy(std::string_view text); // Kind::usage for anything else (Q6)

struct Request {
    std::string image;     // as the user wrote it
    std::string signature; // path of a detached signature; empty: next to the image
    PullPolicy policy = PullPolicy::fresh;
};

struct Hooks {
    std::function<void(const std::string&)> say = {};   // for the user, on stderr: "signature verified:" ...
    std::function<void(const std::string&)> debug = {}; // only with --debug
};

class Acquirer
{
public:
    // `verifier` may be null: then signatures are not looked at (--insecure-options=image).
    Acquirer(store::Store& store, Verifier* verifier, Hooks hooks = {});

    model::ImageId acquire(const Request& request);

private:
    model::ImageId acquire_id(const model::ImageIdPrefix& prefix);
    model::ImageId acquire_name(const model::ImageName& name);
    model::ImageId acquire_file(const FileReference& file, const Request& request);
    model::ImageId fetch_file(const std::string& path, const Request& request);
    std::string read_signature(const std::string& path, const Request& request) const;
    std::string verify(const store::Import& import, const std::string& signature); // the key's fingerprint
    std::optional<model::ImageId> already_fetched(const std::string& stamp) const;
    static void check_supported(const model::ImageManifest& manifest);
    void say(const std::string& line) const;
    void debug(const std::string& line) const;

    store::Store& store_;
    Verifier* verifier_;
    Hooks hooks_;
};

// For the `image` subcommands: an image id, a prefix of one, or a name, looked up in the store only, whatever it was
// verified to.
model::ImageId find_in_store(const store::Store& store, const std::string& image);

} // namespace rocket::image

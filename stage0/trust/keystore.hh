// SPDX-License-Identifier: Apache-2.0
// The trusted keys on disk (cli 3.7): {SYS,LOCAL}/trustedkeys/root.d/FP and .../prefix.d/IMAGE-PREFIX/FP, where FP is
// the fingerprint of the key in the file. Which keys count for an image is decided here, by names alone; what is in
// the files is read, but only the verify worker ever parses it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/ac_name.hh"
#include "stage0/trust/fingerprint.hh"

namespace rocket::trust
{

struct KeyFile {
    Fingerprint fingerprint; // as the file is named; whether the key in it is that one, the worker finds out
    std::string path;
    std::string content;
};

struct ApplicableKeys {
    std::vector<KeyFile> keys;         // by fingerprint
    std::vector<std::string> warnings; // about files that could not be used; each disables its own key only
};

// What a key is trusted for: images with that name or below it, or (nullopt) all images.
using Scope = std::optional<model::AcIdentifier>;

class Keystore
{
public:
    // The system and local configuration directories; neither has to exist. Keys are added to the local one.
    Keystore(std::string system_dir, std::string local_dir);

    // Exactly the keys trusted for an image of that name; with nullopt, those trusted for all images.
    ApplicableKeys keys_for(const Scope& name) const;

    // Writes the key to its own file and returns the path. A key that is there is replaced: it may have been extended
    // or revoked since. Directories are 0755 and the file 0644 whatever the umask (cli 3.7).
    std::string add(const Scope& scope, const Fingerprint& fingerprint, std::string_view armoured_key) const;

private:
    std::string system_;
    std::string local_;
};

// The directories below prefix.d to look at for an image: "a.com/b/c" -> a.com, a.com/b, a.com/b/c. Whole components
// only: a key for a.com/b is nothing to a.com/bc (Q54).
std::vector<std::string> prefixes_of(const model::AcIdentifier& name);

} // namespace rocket::trust

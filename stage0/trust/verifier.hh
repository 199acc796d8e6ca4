// SPDX-License-Identifier: Apache-2.0
// Signature verification with the keystore's keys: exactly those that apply to the image's name go to the confined
// worker (stage0/verify), and its answer is checked again here (R1, R11). Errors: Kind::untrusted.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "stage0/image/verifier.hh"
#include "stage0/trust/keystore.hh"
#include "stage0/verify/protocol.hh"

namespace rocket::trust
{

class KeystoreVerifier : public image::Verifier
{
public:
    using Warn = std::function<void(const std::string&)>; // about key files that had to be left out
    KeystoreVerifier(Keystore keystore, Warn warn) : keystore_{std::move(keystore)}, warn_{std::move(warn)} {}

    void check_issuer(const model::AcIdentifier& image_name, int signature_fd) override;
    bool is_trusted(const model::AcIdentifier& image_name, const std::string& fingerprint) override;
    image::Verified verify(const model::AcIdentifier& image_name, int archive_fd, int signature_fd) override;
    image::Opened open(const model::AcIdentifier& image_name, const std::string& message) override;
    image::Opened open_by(const std::vector<std::string>& key_files, const model::AcIdentifier& image_name,
                          const std::string& message) override;

private:
    struct Answer {
        verify::Checked checked;
        std::set<std::string> trusted; // fingerprints of the keys that could be used
    };
    using Check = std::function<verify::Checked(std::vector<verify::NamedKey> keys)>;
    Answer ask(const model::AcIdentifier& image_name, const Check& check) const;

    Keystore keystore_;
    Warn warn_;
};

} // namespace rocket::trust

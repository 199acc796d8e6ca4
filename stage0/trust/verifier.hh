// SPDX-License-Identifier: Apache-2.0
// Signature verification with the keystore's keys: exactly those that apply to the image's name go to the confined
// worker (stage0/verify), and its answer is checked again here (R1, R11). Errors: Kind::untrusted.
#pragma once

#include <functional>
#include <string>

#include "stage0/image/verifier.hh"
#include "stage0/trust/keystore.hh"

namespace rocket::trust
{

class KeystoreVerifier : public image::Verifier
{
public:
    using Warn = std::function<void(const std::string&)>; // about key files that had to be left out
    KeystoreVerifier(Keystore keystore, Warn warn) : keystore_{std::move(keystore)}, warn_{std::move(warn)} {}

    image::Verified verify(const model::AcIdentifier& image_name, int archive_fd, int signature_fd) override;

private:
    Keystore keystore_;
    Warn warn_;
};

} // namespace rocket::trust

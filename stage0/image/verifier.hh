// SPDX-License-Identifier: Apache-2.0
// What acquiring an image needs from whoever knows the trusted keys (stage0/trust): a yes with a name to it, or an
// Error of Kind::untrusted with the reason and what to do next. Neither descriptor's position is used or moved; the
// archive has to be a regular file that nobody can write to between this call and its use.
#pragma once

#include <string>
#include <vector>

#include "common/model/ac_name.hh"

namespace rocket::image
{

struct Verified {
    std::string fingerprint;             // of the primary key, 40 lower-case hex digits
    std::vector<std::string> identities; // "Name <mail>", UTF-8; print through text::printable()
};

// A message that carries its own signature, and what it says.
struct Opened {
    Verified signer;
    std::string payload;
};

class Verifier
{
public:
    virtual ~Verifier() = default;
    // Before the image is there: is any of the signatures by a key that is trusted for that name?
    virtual void check_issuer(const model::AcIdentifier& image_name, int signature_fd) = 0;
    // Of an image that this key has signed: is it still trusted for that name? By the names of key files alone.
    virtual bool is_trusted(const model::AcIdentifier& image_name, const std::string& fingerprint) = 0;
    virtual Verified verify(const model::AcIdentifier& image_name, int archive_fd, int signature_fd) = 0;
    virtual Opened open(const model::AcIdentifier& image_name, const std::string& message) = 0;
    // By a key of these key files (contents) rather than by one that is trusted for the name.
    virtual Opened open_by(const std::vector<std::string>& key_files, const model::AcIdentifier& image_name,
                           const std::string& message) = 0;
};

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
// GnuPG, through GPGME, in a home directory of its own: the keys put in here are the only ones it knows. What goes in
// are packets that openpgp.hh has looked at. Errors: Kind::system, or Kind::corrupt for what gpg cannot read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/verify/protocol.hh"

struct gpgme_context;
struct gpgme_data;

namespace rocket::verify
{

class Gpg
{
public:
    explicit Gpg(const std::string& home); // an empty directory only we can read

    // The fingerprints of the keys gpg has taken: it leaves out those without a valid identity.
    std::vector<std::string> import(std::string_view packets);
    // Every key imported so far, each with itself alone as armoured text.
    std::vector<ListedKey> keys();
    // The status of each signature over the whole file, which is read from its start; its position is not used.
    std::vector<Signature> check(std::string_view signatures, int file);
    // The same over these bytes.
    std::vector<Signature> check(std::string_view signatures, std::string_view content);

private:
    std::vector<Signature> check_data(std::string_view signatures, gpgme_data* content);
    struct Release {
        void operator()(gpgme_context* context) const;
    };
    std::unique_ptr<gpgme_context, Release> context_;
};

} // namespace rocket::verify

// SPDX-License-Identifier: Apache-2.0
// Yes or no, from what the worker found out: at least one good signature by a key that is trusted for the image, and
// no bad one by such a key (R11). A pure function.
#pragma once

#include <set>
#include <string>

#include "common/model/ac_name.hh"
#include "stage0/image/verifier.hh"
#include "stage0/verify/protocol.hh"

namespace rocket::trust
{

// Throws Kind::untrusted with the reason, and what to do.
image::Verified decide(const verify::Checked& checked, const std::set<std::string>& trusted,
                       const model::AcIdentifier& image_name);

// "rocket trust --prefix=NAME KEYFILE" in a sentence
std::string how_to_trust(const model::AcIdentifier& image_name);
// The same of signatures whose image is not there yet: Kind::untrusted if none is by a trusted key.
void decide_issuer(const verify::Checked& checked, const std::set<std::string>& trusted,
                   const model::AcIdentifier& image_name);

} // namespace rocket::trust

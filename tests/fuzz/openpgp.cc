// SPDX-License-Identifier: Apache-2.0
// Signatures, signed messages and key files before GnuPG sees them (R11). The first byte chooses.
#include "stage0/verify/signed_message.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view file) {
    using namespace rocket;
    if (file.empty())
        return;
    const auto rest = file.substr(1);
    switch (file.front()) {
    case 'k':
        for (const auto& key : openpgp::parse_keys(rest))
            fuzz::promise(key.fingerprint.size() == 40);
        return;
    case 's':
        fuzz::promise(openpgp::parse_signatures(rest).count > 0);
        return;
    case 'm': {
        const auto message = openpgp::parse_signed_message(rest);
        fuzz::promise(message.signatures.count > 0 && message.payload.size() <= openpgp::max_payload_size);
        return;
    }
    default:
        openpgp::packets(rest);
    }
})

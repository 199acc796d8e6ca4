// SPDX-License-Identifier: Apache-2.0
// A message that carries its own signatures, as `gpg --sign` and simple signing make it (RFC 4880, 11.3): taken apart
// here, so that GnuPG only ever sees a detached signature and the bytes it is over. Pure. Errors: Kind::corrupt.
#pragma once

#include "stage0/verify/openpgp.hh"

namespace rocket::openpgp
{

constexpr std::size_t max_payload_size = std::size_t{256} << 10;

struct SignedMessage {
    std::string payload;
    Signatures signatures;
};
// Not armoured; at most one layer of compression (zip or zlib), around all of it.
SignedMessage parse_signed_message(std::string_view file);

} // namespace rocket::openpgp

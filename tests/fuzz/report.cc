// SPDX-License-Identifier: Apache-2.0
// What the root broker reads from its workers: the report of one that unpacks, the packets of the one that fetches
// (R1). The first byte chooses.
#include "stage0/unpack/report.hh"
#include "stage0/fetch/protocol.hh"
#include "target.hh"

ROCKET_FUZZ([](std::string_view bytes) {
    using namespace rocket;
    if (bytes.empty())
        return;
    const auto rest = bytes.substr(1);
    if (bytes.front() == 'f')
        fetch::decode_to_broker(rest);
    else
        unpack::parse_report(rest, 65536);
})

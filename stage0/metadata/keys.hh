// SPDX-License-Identifier: Apache-2.0
// The service's secret: 128 random bytes in a file that only it can read, made once, so that signatures and tokens
// outlive a restart. The first half signs (MDS-17); of the other half the tokens are made, so that there is no list of
// them: whoever is registered is written in the pods' own directories.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/model/pod_id.hh"

namespace rocket::metadata
{

class Keys
{
public:
    static constexpr std::size_t size = 128; // bytes

    // The file `key` in this directory (absolute), which is made if need be. Kind::corrupt if it is no such key.
    static Keys load_or_make(const std::string& directory);
    explicit Keys(const std::array<std::uint8_t, size>& bytes) : bytes_{bytes} {}

    // Base64 of HMAC-SHA-512 over the 16 bytes of the pod's UUID and `content` (MDS-13, MDS-17).
    std::string sign(const model::PodId& signer, std::string_view content) const;
    bool verify(const model::PodId& signer, std::string_view content, std::string_view signature) const;
    // 32 lower-case hex digits; nobody without the key can tell it from a random one (MDS-2).
    std::string token(const model::PodId& pod) const;

private:
    std::array<std::uint8_t, size> bytes_;
};

// In a time that does not depend on where they differ.
bool is_equal(std::string_view one, std::string_view other) noexcept;

} // namespace rocket::metadata

// SPDX-License-Identifier: Apache-2.0
// The version of the specification that a manifest states: Semantic Versioning 2.0.0, never 0.0.0 (TYP-10..14).
// Errors: Kind::usage.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::model
{

class AcVersion
{
public:
    static AcVersion parse(std::string_view text);
    static const AcVersion& ours(); // 0.8.11, what Rocket writes and implements

    std::string str() const;
    std::uint64_t major_number() const noexcept { return numbers_[0]; } // "major" is a macro of glibc
    // Order of precedence: build metadata does not count (TYP-12).
    std::strong_ordering operator<=>(const AcVersion& other) const;
    bool operator==(const AcVersion& other) const { return std::is_eq(*this <=> other); }

    // Throws if a manifest of this version cannot be understood: another major series (TYP-13).
    void check_understood() const;

private:
    AcVersion() = default;
    std::uint64_t numbers_[3] = {};
    std::vector<std::string> pre_release_;
    std::string metadata_;
};

} // namespace rocket::model

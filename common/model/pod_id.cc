// SPDX-License-Identifier: Apache-2.0
#include "common/model/pod_id.hh"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

std::string lower(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// 32 digits -> 8-4-4-4-12
std::string dashed(std::string digits)
{
    for (const std::size_t at : {8U, 13U, 18U, 23U})
        digits.insert(at, 1, '-');
    return digits;
}

} // namespace

PodId PodId::parse(std::string_view text)
{
    std::string digits = lower(text);
    std::erase(digits, '-');
    if (digits.size() != 32 || !text::is_lower_hex(digits))
        fail(Error::Kind::usage, "{} is not a valid UUID", text::quoted(text));
    if (digits.find_first_not_of('0') == std::string::npos)
        fail(Error::Kind::usage, "a UUID cannot be all zero");
    return PodId{dashed(std::move(digits))};
}

PodId PodId::random()
{
    std::array<std::uint8_t, 16> bytes;
    // So few bytes are never cut short; a signal can interrupt only the wait for the first entropy after boot.
    ssize_t got = 0;
    do
        got = ::getrandom(bytes.data(), bytes.size(), 0);
    while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(bytes.size()))
        throw system_error(errno, "cannot get random bytes for a UUID");
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x40U); // version 4
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U); // variant of RFC 4122
    return PodId{dashed(text::hex(bytes))};
}

PodIdPrefix PodIdPrefix::parse(std::string_view text)
{
    if (text.empty())
        fail(Error::Kind::usage, "UUID cannot be empty");
    return PodIdPrefix{lower(text)};
}

bool PodIdPrefix::matches(const PodId& id) const
{
    std::string whole = id.str();
    if (text_.find('-') == std::string::npos)
        std::erase(whole, '-');
    return whole.starts_with(text_);
}

} // namespace rocket::model

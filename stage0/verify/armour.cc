// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/armour.hh"

#include <array>
#include <cstdint>
#include <optional>

#include "common/sys/base64.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::openpgp
{

namespace
{

constexpr std::string_view dashes = "-----";

// "-----BEGIN PGP SIGNATURE-----" -> "PGP SIGNATURE", for word "BEGIN"
std::optional<std::string> boundary(std::string_view line, std::string_view word)
{
    const auto start = std::string{dashes} + std::string{word} + " ";
    if (!line.starts_with(start) || !line.ends_with(dashes) || line.size() <= start.size() + dashes.size())
        return std::nullopt;
    return std::string{line.substr(start.size(), line.size() - start.size() - dashes.size())};
}

std::string decode(std::string_view digits)
{
    auto bytes = text::decode_base64(digits);
    if (!bytes)
        fail(Error::Kind::corrupt, "armour is not base64");
    return std::move(*bytes);
}

std::uint32_t crc24(std::string_view bytes)
{
    std::uint32_t crc = 0xB704CE;
    for (const char byte : bytes) {
        crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << 16U;
        for (int bit = 0; bit < 8; ++bit) {
            crc <<= 1U;
            if ((crc & 0x1000000U) != 0)
                crc ^= 0x1864CFBU;
        }
    }
    return crc & 0xFFFFFFU;
}

void check_sum(std::string_view bytes, std::string_view digits)
{
    const auto sum = decode(digits);
    const auto crc = crc24(bytes);
    const std::array<char, 3> wanted{static_cast<char>(crc >> 16U), static_cast<char>(crc >> 8U & 0xFFU),
                                     static_cast<char>(crc & 0xFFU)};
    if (sum != std::string_view{wanted.data(), wanted.size()})
        fail(Error::Kind::corrupt, "checksum of the armour is wrong");
}

// The lines of a file without their ends (LF or CR LF), and without blanks behind them, which mail adds and RFC 4880
// allows.
class Lines
{
public:
    explicit Lines(std::string_view rest) : rest_{rest} {}

    std::optional<std::string_view> next()
    {
        if (rest_.empty())
            return std::nullopt;
        const auto end = rest_.find('\n');
        auto line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
            line.remove_suffix(1);
        return line;
    }

    std::string_view inside_block()
    {
        const auto line = next();
        if (!line)
            fail(Error::Kind::corrupt, "armour has no end");
        return *line;
    }

private:
    std::string_view rest_;
};

std::string block_content(Lines& lines, const std::string& type)
{
    for (auto header = lines.inside_block(); !header.empty(); header = lines.inside_block())
        if (header.find(": ") == std::string_view::npos && !header.ends_with(':'))
            fail(Error::Kind::corrupt, "armour has {} where a header line should be", text::quoted(header));
    std::string digits;
    std::optional<std::string> sum;
    for (;;) {
        const auto line = lines.inside_block();
        if (const auto end = boundary(line, "END")) {
            if (*end != type)
                fail(Error::Kind::corrupt, "armour begins as {} and ends as {}", text::quoted(type),
                     text::quoted(*end));
            break;
        }
        if (sum)
            fail(Error::Kind::corrupt, "armour goes on after its checksum");
        if (line.size() == 5 && line[0] == '=')
            sum = line.substr(1);
        else
            digits += line;
    }
    auto bytes = decode(digits);
    if (sum)
        check_sum(bytes, *sum);
    return bytes;
}

} // namespace

Armour take_off(std::string_view file)
{
    Armour armour;
    Lines lines{file};
    while (const auto line = lines.next()) {
        if (const auto type = boundary(*line, "BEGIN"))
            armour.blocks.push_back({*type, block_content(lines, *type)});
        else if (!text::trim(*line).empty())
            armour.has_other_text = true;
    }
    return armour;
}

} // namespace rocket::openpgp

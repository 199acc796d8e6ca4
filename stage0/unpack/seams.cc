// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/seams.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/report.hh"

namespace rocket::unpack
{

namespace
{

// A record is a letter and its one or two words, each with a NUL behind it: paths are bytes, which JSON cannot hold.
constexpr char implied_letter = 'i', opaque_letter = 'o', whiteout_letter = 'w', link_letter = 'l', device_letter = 'd';

bool is_clean(std::string_view path)
{
    if (path.empty())
        return true;
    return std::ranges::none_of(text::split(path, '/'),
                                [](const auto& part) { return part.empty() || part == "." || part == ".."; });
}

[[noreturn]] void fail_malformed()
{
    fail(Error::Kind::corrupt, "what is recorded of a layer is malformed");
}

std::string take_word(std::string_view& rest)
{
    const auto end = rest.find('\0');
    if (end == rest.npos)
        fail_malformed();
    std::string word{rest.substr(0, end)};
    rest.remove_prefix(end + 1);
    return word;
}

std::string take_path(std::string_view& rest)
{
    auto path = take_word(rest);
    if (!is_clean(path))
        fail_malformed();
    return path;
}

// "c 1 3"
Seams::Device parse_device(const std::string& word)
{
    const auto parts = text::split(word, ' ');
    if (parts.size() != 3 || (parts[0] != "c" && parts[0] != "b"))
        fail_malformed();
    const auto major = text::parse_decimal(parts[1], UINT32_MAX);
    const auto minor = text::parse_decimal(parts[2], UINT32_MAX);
    if (!major || !minor)
        fail_malformed();
    return {.type = parts[0].front(), .major = static_cast<unsigned>(*major), .minor = static_cast<unsigned>(*minor)};
}

void append(std::string& out, char letter, const std::string& path)
{
    out += letter;
    out += path;
    out += '\0';
}

} // namespace

Seams Seams::parse(std::string_view bytes)
{
    Seams seams;
    while (!bytes.empty()) {
        const char letter = bytes.front();
        bytes.remove_prefix(1);
        auto path = take_path(bytes);
        if (letter == implied_letter)
            seams.implied.push_back(std::move(path));
        else if (letter == opaque_letter)
            seams.opaque.push_back(std::move(path));
        else if (letter == whiteout_letter && !path.empty())
            seams.whiteouts.push_back(std::move(path));
        else if (letter == link_letter && !path.empty())
            seams.links[path] = take_path(bytes);
        else if (letter == device_letter && !path.empty())
            seams.devices[path] = parse_device(take_word(bytes));
        else
            fail_malformed();
    }
    return seams;
}

std::string Seams::write() const
{
    std::string out;
    for (const auto& path : implied)
        append(out, implied_letter, path);
    for (const auto& path : opaque)
        append(out, opaque_letter, path);
    for (const auto& path : whiteouts)
        append(out, whiteout_letter, path);
    for (const auto& [path, target] : links) {
        append(out, link_letter, path);
        out += target;
        out += '\0';
    }
    for (const auto& [path, device] : devices) {
        append(out, device_letter, path);
        out += fmt::format("{} {} {}", device.type, device.major, device.minor);
        out += '\0';
    }
    if (out.size() > largest_list)
        fail(Error::Kind::corrupt,
             "the layer has too many directories without an entry of their own, links or device nodes");
    return out;
}

} // namespace rocket::unpack

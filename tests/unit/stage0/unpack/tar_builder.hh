// SPDX-License-Identifier: Apache-2.0
// Builds tar archives byte by byte, so that a test can break exactly one rule of the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

struct TarMember {
    std::string name;
    char type = '0';
    std::string content = {};
    std::string link = {};
    unsigned mode = 0644;
    std::uint64_t uid = 0;
    std::uint64_t gid = 0;
    std::uint64_t mtime = 0;
    std::string_view magic = std::string_view{"ustar\00000", 8};
    std::string prefix = {};
};

class TarBuilder
{
public:
    TarBuilder& add(const TarMember& member)
    {
        bytes_ += header(member, member.content.size());
        return add_padded(member.content);
    }
    // A PAX header ('x' or 'g') of ready-made records, see record().
    TarBuilder& pax(const std::string& records, char type = 'x')
    {
        return add({.name = "pax", .type = type, .content = records});
    }
    TarBuilder& raw(std::string_view bytes)
    {
        bytes_ += bytes;
        return *this;
    }
    TarBuilder& add_padded(std::string_view content)
    {
        bytes_ += content;
        bytes_.append((512 - content.size() % 512) % 512, '\0');
        return *this;
    }
    std::string end() const { return bytes_ + std::string(1024, '\0'); }
    const std::string& open_end() const { return bytes_; }

    static std::string record(std::string_view key, std::string_view value)
    {
        std::size_t size = key.size() + value.size() + 3;
        std::size_t total = size + std::to_string(size).size();
        if (std::to_string(total).size() != std::to_string(size).size())
            total = size + std::to_string(total).size();
        return fmt::format("{} {}={}\n", total, key, value);
    }

    static std::string header(const TarMember& member, std::uint64_t size)
    {
        std::string block(512, '\0');
        const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
        put(0, std::string_view{member.name}.substr(0, 100));
        put(100, fmt::format("{:07o}", member.mode));
        put(108, fmt::format("{:07o}", member.uid));
        put(116, fmt::format("{:07o}", member.gid));
        put(124, fmt::format("{:011o}", size));
        put(136, fmt::format("{:011o}", member.mtime));
        block[156] = member.type;
        put(157, std::string_view{member.link}.substr(0, 100));
        put(257, member.magic);
        put(345, member.prefix);
        return checked(std::move(block));
    }

    // With its check sum put in.
    static std::string checked(std::string block)
    {
        block.replace(148, 8, 8, ' ');
        unsigned sum = 0;
        for (const char c : block)
            sum += static_cast<unsigned char>(c);
        block.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
        return block;
    }

private:
    std::string bytes_;
};

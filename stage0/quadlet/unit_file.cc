// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/unit_file.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::quadlet
{

namespace
{

bool is_comment(std::string_view line)
{
    return line.starts_with('#') || line.starts_with(';');
}

// Logical lines: a backslash at the end joins the next line, comments in between are skipped.
class Lines
{
public:
    explicit Lines(std::string_view text) : lines_{text::split(text, '\n')} {}

    bool next()
    {
        line_.clear();
        number_ = at_ + 1;
        bool continued = false;
        while (at_ < lines_.size()) {
            auto part = text::trim(lines_[at_++]);
            if (is_comment(part) || (part.empty() && !continued)) {
                number_ = continued ? number_ : at_ + 1;
                continue;
            }
            continued = part.ends_with('\\');
            if (continued)
                part = text::trim(part.substr(0, part.size() - 1));
            line_ += (line_.empty() || part.empty() ? "" : " ") + std::string{part};
            if (!continued)
                return true;
        }
        return !line_.empty();
    }

    const std::string& line() const noexcept { return line_; }
    std::size_t number() const noexcept { return number_; }

private:
    std::vector<std::string> lines_;
    std::size_t at_ = 0;
    std::size_t number_ = 0;
    std::string line_;
};

} // namespace

std::vector<Entry> Section::in_force() const
{
    std::vector<Entry> left;
    for (const auto& entry : entries) {
        if (entry.value.empty())
            std::erase_if(left, [&](const Entry& earlier) { return earlier.key == entry.key; });
        left.push_back(entry);
    }
    return left;
}

const Section* UnitFile::find(std::string_view section) const noexcept
{
    const auto found = std::ranges::find(sections, section, &Section::name);
    return found == sections.end() ? nullptr : &*found;
}

const Entry* UnitFile::last(std::string_view section, std::string_view key) const noexcept
{
    const auto* in = find(section);
    if (in == nullptr)
        return nullptr;
    const auto found =
        std::find_if(in->entries.rbegin(), in->entries.rend(), [&](const Entry& entry) { return entry.key == key; });
    return found == in->entries.rend() ? nullptr : &*found;
}

Section& UnitFile::section(std::string_view section_name)
{
    const auto found = std::ranges::find(sections, section_name, &Section::name);
    return found != sections.end() ? *found : sections.emplace_back(Section{std::string{section_name}, {}});
}

void UnitFile::add(std::string_view text, const std::string& file)
{
    Section* current = nullptr;
    for (Lines lines{text}; lines.next();) {
        const auto& line = lines.line();
        const auto place = fmt::format("{}:{}", file, lines.number());
        if (!text::is_utf8(line) || line.find('\0') != std::string::npos)
            fail(Error::Kind::corrupt, "{}: this line is not UTF-8 text", place);
        if (line.starts_with('[') && line.ends_with(']')) {
            current = &section(std::string_view{line}.substr(1, line.size() - 2));
            continue;
        }
        const auto equals = line.find('=');
        if (equals == std::string::npos || equals == 0)
            fail(Error::Kind::corrupt, "{}: {} is neither [SECTION] nor KEY=VALUE", place, text::quoted(line));
        if (current == nullptr)
            fail(Error::Kind::corrupt, "{}: {} stands before the first [SECTION]", place, text::quoted(line));
        current->entries.push_back(
            {std::string{text::trim(line.substr(0, equals))}, std::string{text::trim(line.substr(equals + 1))}, place});
    }
}

} // namespace rocket::quadlet

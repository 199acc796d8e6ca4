// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/guarded_places.hh"

#include <fcntl.h>

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "common/sys/file.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

// ID PARENT DEVICE ROOT PATH OPTIONS [TAG...] - TYPE SOURCE OPTIONS
struct Line {
    std::string root, path, type;
    bool read_only = false;

    explicit Line(std::string_view text)
    {
        const auto words = text::split(text, ' ');
        const auto dash = std::ranges::find(words, "-");
        if (words.size() < 6 || words.end() - dash < 2)
            return;
        root = words[3];
        path = words[4];
        read_only = words[5] == "ro" || words[5].starts_with("ro,");
        type = *(dash + 1);
    }
};

bool is_below(const std::string& path, std::string_view directory)
{
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

// A mask is the null device, or a directory that is empty and stays so.
std::string kind_of(const Line& line)
{
    if (is_below(line.path, "/dev"))
        return line.root != "/" && line.type.ends_with("tmpfs") ? "device" : "";
    if (!is_below(line.path, "/proc") && !is_below(line.path, "/sys"))
        return "";
    if (line.type.ends_with("tmpfs") && (line.root == "/null" || line.read_only))
        return "masked";
    return line.read_only ? "read-only" : "";
}

} // namespace

std::vector<GuardedPlace> guarded_places(std::string_view mountinfo)
{
    std::vector<GuardedPlace> places;
    for (const auto& text : text::split(mountinfo, '\n')) {
        Line line{text};
        if (auto kind = kind_of(line); !kind.empty())
            places.push_back({std::move(line.path), std::move(kind)});
    }
    std::ranges::sort(places, {}, [](const auto& place) { return std::tie(place.is, place.path); });
    return places;
}

std::vector<GuardedPlace> guarded_places(pid_t app)
{
    constexpr std::size_t limit = 4U << 20U;
    const auto text = file::read_if_exists(AT_FDCWD, fmt::format("/proc/{}/mountinfo", app), limit);
    return guarded_places(text.value_or(""));
}

} // namespace rocket::pod

// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/select.hh"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "common/model/platform.hh"
#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

struct Spelling {
    std::string_view architecture, variant;
    std::string_view normal, normal_variant;
};

// OIDX-4; a row with an empty variant in front holds for that architecture whatever the variant says.
constexpr std::array spellings{
    Spelling{"x86_64", "", "amd64", ""}, Spelling{"x86-64", "", "amd64", ""}, Spelling{"i386", "", "386", ""},
    Spelling{"armhf", "", "arm", "v7"},  Spelling{"armel", "", "arm", "v6"},
};

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

int amd64_level()
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("fma"))
        return 3;
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
        return 2;
#endif
    return 1;
}

std::string shown(const Platform& platform)
{
    return text::printable(fmt::format("{}/{}{}{}", platform.os, platform.architecture,
                                       platform.variant.empty() ? "" : "/", platform.variant));
}

// Neither an attestation nor of a type that is no image (OIDX-7, OLAY-4).
bool may_be_image(const Descriptor& entry)
{
    const auto kind = kind_of(entry.media_type);
    if (kind != MediaKind::manifest && kind != MediaKind::index && kind != MediaKind::schema1)
        return false;
    if (entry.annotations.contains("vnd.docker.reference.type"))
        return false;
    return !entry.platform || (entry.platform->os != "unknown" && entry.platform->os_features.empty());
}

} // namespace

Platform normalized(Platform platform)
{
    platform.os = lower(platform.os);
    platform.architecture = lower(platform.architecture);
    platform.variant = lower(platform.variant);
    if (platform.os == "macos")
        platform.os = "darwin";
    if (platform.architecture == "aarch64")
        platform.architecture = "arm64";
    for (const auto& row : spellings)
        if (platform.architecture == row.architecture) {
            platform.architecture = row.normal;
            if (!row.normal_variant.empty())
                platform.variant = row.normal_variant;
        }
    auto& variant = platform.variant;
    if (!variant.empty() && variant[0] >= '0' && variant[0] <= '9')
        variant = "v" + variant;
    if (platform.architecture == "amd64" && variant == "v1")
        variant.clear();
    if (platform.architecture == "arm64" && (variant == "v8" || variant == "v8.0"))
        variant.clear();
    if (platform.architecture == "arm" && variant.empty())
        variant = "v7";
    return platform;
}

std::vector<Platform> wanted_platforms(const Platform& host)
{
    std::vector<Platform> wanted;
    const auto add = [&](std::string variant) {
        wanted.push_back(normalized({.os = host.os, .architecture = host.architecture, .variant = std::move(variant)}));
    };
    const auto& variant = host.variant;
    if (host.architecture == "amd64" || host.architecture == "arm") {
        const char lowest = host.architecture == "arm" ? '5' : '1';
        for (char level = variant.size() == 2 ? variant[1] : lowest; level >= lowest; --level)
            add({'v', level});
        return wanted;
    }
    if (!variant.empty())
        add(variant);
    add("");
    return wanted;
}

bool is_among_wanted(const Platform& platform, const Platform& host)
{
    const auto wanted = wanted_platforms(host);
    return std::ranges::find(wanted, normalized(platform)) != wanted.end();
}

Platform parse_platform(std::string_view text)
{
    const auto parts = text::split(text, '/');
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const auto is_word = [&](const std::string& word) {
        return !word.empty() && word.find_first_not_of(allowed) == word.npos;
    };
    if (parts.size() < 2 || parts.size() > 3 || !std::ranges::all_of(parts, is_word))
        throw Error{Error::Kind::usage, fmt::format("invalid platform {}", text::quoted(text)),
                    "say OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64"};
    return normalized({.os = parts[0], .architecture = parts[1], .variant = parts.size() == 3 ? parts[2] : ""});
}

Platform host_platform()
{
    const auto words = model::to_oci(model::host_platform());
    auto platform = normalized({.os = words.os, .architecture = words.architecture, .variant = words.variant});
    if (platform.architecture == "amd64")
        platform.variant = fmt::format("v{}", amd64_level());
    return platform;
}

std::vector<Descriptor> select(const Index& index, const Platform& host)
{
    std::vector<Descriptor> found;
    for (const auto& wanted : wanted_platforms(host))
        for (const auto& entry : index.manifests)
            if (may_be_image(entry) && entry.platform && normalized(*entry.platform) == wanted)
                found.push_back(entry);
    for (const auto& entry : index.manifests)
        if (may_be_image(entry) && !entry.platform)
            found.push_back(entry);
    if (!found.empty())
        return found;
    std::vector<std::string> offered;
    for (const auto& entry : index.manifests)
        if (may_be_image(entry))
            offered.push_back(shown(*entry.platform));
    if (offered.empty())
        fail(Error::Kind::not_found, "the image index holds no image");
    fail(Error::Kind::not_found, "the image is not there for {}, but only for {}", shown(host),
         fmt::join(offered, ", "));
}

} // namespace rocket::oci

// SPDX-License-Identifier: Apache-2.0
#include "common/model/platform.hh"

#include <sys/utsname.h>

#include <algorithm>
#include <vector>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

struct Row {
    std::string_view os;
    std::vector<std::string_view> arches;
};

const std::vector<Row>& table()
{
    static const std::vector<Row> rows{
        {"darwin", {"i386", "x86_64"}},
        {"freebsd", {"amd64", "arm", "i386"}},
        {"linux",
         {"aarch64", "aarch64_be", "amd64", "armv6l", "armv7b", "armv7l", "i386", "ppc64", "ppc64le", "s390x"}}};
    return rows;
}

struct Translation {
    std::string_view os, arch;                      // appc
    std::string_view oci_architecture, oci_variant; // OCI; the os is called the same
};

// The first row that fits counts; the later ones are further spellings that lead to the same appc words.
constexpr Translation translations[] = {
    {"linux", "amd64", "amd64", ""},     {"linux", "i386", "386", ""},      {"linux", "aarch64", "arm64", ""},
    {"linux", "aarch64", "arm64", "v8"}, {"linux", "armv6l", "arm", "v6"},  {"linux", "armv6l", "arm", ""},
    {"linux", "armv7l", "arm", "v7"},    {"linux", "ppc64", "ppc64", ""},   {"linux", "ppc64le", "ppc64le", ""},
    {"linux", "s390x", "s390x", ""},     {"freebsd", "amd64", "amd64", ""}, {"freebsd", "i386", "386", ""},
    {"freebsd", "arm", "arm", "v6"},     {"freebsd", "arm", "arm", ""},     {"freebsd", "arm", "arm", "v5"},
    {"freebsd", "arm", "arm", "v7"},     {"darwin", "x86_64", "amd64", ""}, {"darwin", "i386", "386", ""},
};

} // namespace

void check_platform(std::string_view os, std::optional<std::string_view> arch)
{
    const auto row = std::ranges::find(table(), os, &Row::os);
    if (row == table().end()) {
        std::vector<std::string_view> known;
        std::ranges::transform(table(), std::back_inserter(known), &Row::os);
        fail(Error::Kind::usage, "os {} is not known: it must be one of {}", text::quoted(os), fmt::join(known, ", "));
    }
    if (arch && std::ranges::find(row->arches, *arch) == row->arches.end())
        fail(Error::Kind::usage, "arch {} is not known for os {}: it must be one of {}", text::quoted(*arch),
             text::quoted(os), fmt::join(row->arches, ", "));
}

std::optional<Platform> platform_of_machine(std::string_view machine)
{
    const auto linux_on = [](std::string_view arch) { return Platform{"linux", std::string{arch}}; };
    if (machine == "x86_64")
        return linux_on("amd64");
    if (machine.size() == 4 && machine.starts_with('i') && machine.ends_with("86"))
        return linux_on("i386");
    if (machine.starts_with("armv7"))
        return linux_on("armv7l");
    if (machine.starts_with("armv6"))
        return linux_on("armv6l");
    for (const std::string_view same : {"aarch64", "ppc64", "ppc64le", "s390x"})
        if (machine == same)
            return linux_on(same);
    return std::nullopt;
}

Platform host_platform()
{
    utsname names{};
    if (::uname(&names) != 0)
        throw system_error(errno, "cannot get the name of this machine");
    if (auto platform = platform_of_machine(names.machine))
        return *std::move(platform);
    fail(Error::Kind::unsupported, "appc has no name for the architecture {} of this host",
         text::quoted(names.machine));
}

Platform from_oci(const OciPlatform& platform)
{
    for (const auto& row : translations)
        if (row.os == platform.os && row.oci_architecture == platform.architecture &&
            row.oci_variant == platform.variant)
            return {std::string{row.os}, std::string{row.arch}};
    fail(Error::Kind::unsupported, "appc has no name for the platform {}",
         text::quoted(fmt::format("{}/{}/{}", platform.os, platform.architecture, platform.variant)));
}

OciPlatform to_oci(const Platform& platform)
{
    for (const auto& row : translations)
        if (row.os == platform.os && row.arch == platform.arch)
            return {std::string{row.os}, std::string{row.oci_architecture}, std::string{row.oci_variant}};
    fail(Error::Kind::unsupported, "OCI has no name for the platform {}",
         text::quoted(fmt::format("{}/{}", platform.os, platform.arch)));
}

} // namespace rocket::model

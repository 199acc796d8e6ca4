// SPDX-License-Identifier: Apache-2.0
#include "stage1/capabilities.hh"

#include <sys/capability.h>

#include <algorithm>

#include <fmt/format.h>

#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr unsigned default_list[] = {
    CAP_AUDIT_WRITE, CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,           CAP_FSETID,  CAP_KILL,   CAP_MKNOD,
    CAP_NET_RAW,     CAP_SETFCAP, CAP_SETGID,       CAP_NET_BIND_SERVICE, CAP_SETPCAP, CAP_SETUID, CAP_SYS_CHROOT};

constexpr std::uint64_t bit(unsigned capability)
{
    return std::uint64_t{1} << capability;
}

// "CAP_CHOWN" -> 0. Upper case only, as the manifests have it; libcap itself would take "cap_chown" and numbers.
std::optional<unsigned> by_name(const std::string& name)
{
    const bool well_formed = name.starts_with("CAP_") && std::all_of(name.begin(), name.end(), [](char c) {
                                 return (c >= 'A' && c <= 'Z') || c == '_';
                             });
    cap_value_t value = 0;
    if (!well_formed || cap_from_name(name.c_str(), &value) != 0)
        return std::nullopt;
    return static_cast<unsigned>(value);
}

} // namespace

std::uint64_t default_capabilities()
{
    std::uint64_t set = 0;
    for (const unsigned capability : default_list)
        set |= bit(capability);
    return set;
}

std::uint64_t all_capabilities(unsigned last_capability)
{
    return last_capability >= 63 ? UINT64_MAX : bit(last_capability + 1) - 1;
}

std::uint64_t bounding_set(const std::optional<model::CapabilitySet>& isolator, unsigned last_capability,
                           std::vector<std::string>& reports)
{
    if (!isolator)
        return default_capabilities();
    const bool retain = isolator->mode == model::CapabilitySet::Mode::retain;
    std::uint64_t named = 0;
    for (const auto& name : isolator->names) {
        const auto capability = by_name(name);
        if (capability && *capability <= last_capability)
            named |= bit(*capability);
        else
            reports.push_back(fmt::format("capability {} is not known {}, ignored", text::quoted(name),
                                          capability ? "to this kernel" : "here"));
    }
    return retain ? named : default_capabilities() & ~named;
}

} // namespace rocket::stage1

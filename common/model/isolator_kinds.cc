// SPDX-License-Identifier: Apache-2.0
#include "common/model/isolator_kinds.hh"

#include <algorithm>

#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

// A string or a number (QTY-2).
std::optional<Quantity> quantity_from(const std::optional<json::Cursor>& value)
{
    if (!value)
        return std::nullopt;
    return value->at_place([&] {
        if (const auto* number = value->value().number())
            return Quantity::parse(number->spelling);
        const auto text = value->text();
        return Quantity::parse(text::trim(text));
    });
}

std::vector<std::string> set_from(json::Fields& fields)
{
    const auto set = fields.required("set");
    auto names = set.texts();
    if (names.empty())
        set.fail(" is empty");
    return names;
}

void check_errno(const json::Cursor& value)
{
    const auto name = value.text();
    const auto is_allowed = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    if (!name.empty() && (name.front() != 'E' || !std::ranges::all_of(name, is_allowed)))
        value.fail(fmt::format(" must be the name of an errno, as in EPERM, not {}", text::quoted(name)));
}

std::string context_part(json::Fields& fields, std::string_view name)
{
    const auto part = fields.required_text(name);
    if (name != "level" && part.text().find(':') != std::string::npos)
        part.fail(" contains a colon");
    return part.text();
}

template <auto from>
void check(const json::Cursor& value)
{
    from(value);
}

SeccompSet seccomp_retain_from(const json::Cursor& value)
{
    return seccomp_from(value, SeccompSet::Mode::retain);
}
SeccompSet seccomp_remove_from(const json::Cursor& value)
{
    return seccomp_from(value, SeccompSet::Mode::remove);
}
void check_boolean(const json::Cursor& value)
{
    value.boolean();
}
void check_text_map(const json::Cursor& value)
{
    value.text_map();
}

constexpr IsolatorKind kinds[] = {
    // name, app, pod, single, twin, check
    {"resource/cpu", true, true, false, "", check<resource_from>},
    {"resource/memory", true, true, false, "", check<resource_from>},
    {"resource/block-bandwidth", true, true, false, "", check<default_resource_from>},
    {"resource/block-iops", true, true, false, "", check<default_resource_from>},
    {"resource/network-bandwidth", true, true, false, "", check<default_resource_from>},
    {"os/linux/capabilities-retain-set", true, false, false, "os/linux/capabilities-remove-set",
     check<capabilities_from>},
    {"os/linux/capabilities-remove-set", true, false, false, "os/linux/capabilities-retain-set",
     check<capabilities_from>},
    {"os/linux/no-new-privileges", true, false, false, "", check_boolean},
    {"os/linux/seccomp-retain-set", true, false, true, "os/linux/seccomp-remove-set", check<seccomp_retain_from>},
    {"os/linux/seccomp-remove-set", true, false, true, "os/linux/seccomp-retain-set", check<seccomp_remove_from>},
    {"os/linux/cpu-shares", true, false, true, "", check<cpu_shares_from>},
    {"os/linux/oom-score-adj", true, false, true, "", check<oom_score_adj_from>},
    {"os/linux/selinux-context", true, true, true, "", check<selinux_context_from>},
    {"os/linux/apparmor-profile", true, true, true, "", check<apparmor_profile_from>},
    {"os/unix/sysctl", false, true, true, "", check_text_map},
};

} // namespace

const IsolatorKind* kind_of(std::string_view name) noexcept
{
    const auto* kind = std::ranges::find(kinds, name, &IsolatorKind::name);
    return kind == std::end(kinds) ? nullptr : kind;
}

Resource resource_from(const json::Cursor& value)
{
    json::Fields fields{value};
    if (fields.boolean_or("default", false))
        value.fail(": \"default\" is not allowed for this isolator");
    return {.request = quantity_from(fields.optional("request")), .limit = quantity_from(fields.optional("limit"))};
}

Resource default_resource_from(const json::Cursor& value)
{
    json::Fields fields{value};
    if (!fields.boolean_or("default", false))
        value.fail(": \"default\" must be true for this isolator");
    if (fields.optional("request"))
        value.fail(": \"request\" is not allowed for this isolator");
    return {.request = std::nullopt, .limit = quantity_from(fields.optional("limit"))};
}

std::vector<std::string> capabilities_from(const json::Cursor& value)
{
    json::Fields fields{value};
    return set_from(fields);
}

SeccompSet seccomp_from(const json::Cursor& value, SeccompSet::Mode mode)
{
    json::Fields fields{value};
    SeccompSet seccomp{.mode = mode, .calls = set_from(fields)};
    if (const auto error = fields.optional("errno")) {
        check_errno(*error);
        seccomp.errno_name = error->text();
    }
    return seccomp;
}

SelinuxContext selinux_context_from(const json::Cursor& value)
{
    json::Fields fields{value};
    return {.user = context_part(fields, "user"),
            .role = context_part(fields, "role"),
            .type = context_part(fields, "type"),
            .level = context_part(fields, "level")};
}

std::string apparmor_profile_from(const json::Cursor& value)
{
    json::Fields fields{value};
    return fields.required_text("profile").text();
}

std::uint32_t cpu_shares_from(const json::Cursor& value)
{
    return static_cast<std::uint32_t>(value.integer(2, 262144)); // SHR-1
}

std::int32_t oom_score_adj_from(const json::Cursor& value)
{
    return static_cast<std::int32_t>(value.integer(-1000, 1000)); // OOM-1
}

} // namespace rocket::model

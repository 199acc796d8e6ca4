// SPDX-License-Identifier: Apache-2.0
#include "common/model/isolators.hh"

#include <algorithm>
#include <unordered_set>

#include "common/model/isolator_kinds.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

Isolator isolator_from(const json::Cursor& item)
{
    json::Fields fields{item};
    const auto name = fields.required_text("name").as<AcIdentifier>();
    const auto value = fields.present("value");
    const auto* kind = kind_of(name.str());
    if (!value || (kind != nullptr && value->value().is_null()))
        item.fail(fmt::format(" ({}) has no \"value\"", name.str()));
    if (kind != nullptr)
        kind->check({value->value(), fmt::format("{} ({})", item.place(), name.str())});
    return {.name = name, .value = value->value(), .unknown = fields.rest()};
}

// What is wrong with one more `isolator` in a list in which `has` tells what there is, or an empty text (ISO-8).
template <typename Has>
std::string conflict_of(const Isolator& isolator, Has&& has)
{
    const auto* kind = kind_of(isolator.name.str());
    if (kind == nullptr)
        return {};
    if (kind->is_single && has(kind->name))
        return fmt::format("isolator {} is given twice", kind->name);
    if (!kind->twin.empty() && has(kind->twin))
        return fmt::format("isolators {} and {} exclude each other", kind->twin, kind->name);
    return {};
}

template <typename Reader>
auto read(const Isolator* isolator, Reader&& reader) -> std::optional<decltype(reader(std::declval<json::Cursor>()))>
{
    if (isolator == nullptr)
        return std::nullopt;
    return reader(json::Cursor{isolator->value, isolator->name.str()});
}

Isolator make(std::string_view name, json::Value value)
{
    Isolator isolator{.name = AcIdentifier::parse(name), .value = std::move(value)};
    kind_of(name)->check({isolator.value, isolator.name.str()});
    return isolator;
}

json::Value same_request_and_limit(const Quantity& quantity)
{
    return json::ObjectWriter{}.set("request", quantity.str()).set("limit", quantity.str()).done();
}

} // namespace

Isolators Isolators::from(const std::vector<json::Cursor>& items)
{
    Isolators isolators;
    std::unordered_set<std::string> seen; // a hostile list may be long
    for (const auto& item : items) {
        auto isolator = isolator_from(item);
        const auto has = [&](std::string_view name) { return seen.contains(std::string{name}); };
        if (const auto conflict = conflict_of(isolator, has); !conflict.empty())
            item.fail(": " + conflict);
        seen.insert(isolator.name.str());
        isolators.list_.push_back(std::move(isolator));
    }
    return isolators;
}

const Isolator* Isolators::find(std::string_view name) const noexcept
{
    const auto last = std::find_if(list_.rbegin(), list_.rend(), [&](const Isolator& i) { return i.name == name; });
    return last == list_.rend() ? nullptr : &*last;
}

std::optional<Resource> Isolators::cpu() const
{
    return read(find("resource/cpu"), resource_from);
}
std::optional<Resource> Isolators::memory() const
{
    return read(find("resource/memory"), resource_from);
}
std::optional<Resource> Isolators::block_bandwidth() const
{
    return read(find("resource/block-bandwidth"), default_resource_from);
}
std::optional<Resource> Isolators::block_iops() const
{
    return read(find("resource/block-iops"), default_resource_from);
}
std::optional<Resource> Isolators::network_bandwidth() const
{
    return read(find("resource/network-bandwidth"), default_resource_from);
}

std::optional<CapabilitySet> Isolators::capabilities() const
{
    using Mode = CapabilitySet::Mode;
    for (const auto& [mode, name] : {std::pair{Mode::retain, "os/linux/capabilities-retain-set"},
                                     std::pair{Mode::remove, "os/linux/capabilities-remove-set"}})
        if (auto names = read(find(name), capabilities_from))
            return CapabilitySet{.mode = mode, .names = *std::move(names)};
    return std::nullopt;
}

std::optional<SeccompSet> Isolators::seccomp() const
{
    using Mode = SeccompSet::Mode;
    for (const auto& [mode, name] : {std::pair{Mode::retain, "os/linux/seccomp-retain-set"},
                                     std::pair{Mode::remove, "os/linux/seccomp-remove-set"}})
        if (const auto* isolator = find(name))
            return seccomp_from({isolator->value, name}, mode);
    return std::nullopt;
}

bool Isolators::no_new_privileges() const
{
    const auto* isolator = find("os/linux/no-new-privileges");
    return isolator != nullptr && *isolator->value.boolean();
}

std::optional<std::uint32_t> Isolators::cpu_shares() const
{
    return read(find("os/linux/cpu-shares"), cpu_shares_from);
}
std::optional<std::int32_t> Isolators::oom_score_adj() const
{
    return read(find("os/linux/oom-score-adj"), oom_score_adj_from);
}
std::optional<SelinuxContext> Isolators::selinux_context() const
{
    return read(find("os/linux/selinux-context"), selinux_context_from);
}
std::optional<std::string> Isolators::apparmor_profile() const
{
    return read(find("os/linux/apparmor-profile"), apparmor_profile_from);
}

std::map<std::string, std::string> Isolators::sysctls() const
{
    const auto* isolator = find("os/unix/sysctl");
    if (isolator == nullptr)
        return {};
    return json::Cursor{isolator->value, isolator->name.str()}.text_map();
}

void Isolators::append(Isolator isolator)
{
    if (const auto* kind = kind_of(isolator.name.str()))
        kind->check({isolator.value, isolator.name.str()});
    if (const auto conflict = conflict_of(isolator, [&](std::string_view name) { return find(name) != nullptr; });
        !conflict.empty())
        throw Error{Error::Kind::usage, conflict};
    list_.push_back(std::move(isolator));
}

void Isolators::replace(Isolator isolator)
{
    const auto* kind = kind_of(isolator.name.str());
    std::erase_if(list_, [&](const Isolator& other) {
        return other.name == isolator.name || (kind != nullptr && !kind->twin.empty() && other.name == kind->twin);
    });
    append(std::move(isolator));
}

std::vector<std::string> Isolators::unknown_names() const
{
    std::vector<std::string> names;
    for (const auto& isolator : list_)
        if (kind_of(isolator.name.str()) == nullptr)
            names.push_back(isolator.name.str());
    return names;
}

std::vector<std::string> Isolators::out_of_scope(Scope scope) const
{
    std::vector<std::string> names;
    for (const auto& isolator : list_)
        if (const auto* kind = kind_of(isolator.name.str()))
            if (!(scope == Scope::app ? kind->for_app : kind->for_pod))
                names.push_back(isolator.name.str());
    return names;
}

Isolator memory_isolator(const Quantity& quantity)
{
    return make("resource/memory", same_request_and_limit(quantity));
}
Isolator cpu_isolator(const Quantity& quantity)
{
    return make("resource/cpu", same_request_and_limit(quantity));
}
Isolator cpu_shares_isolator(std::uint64_t shares)
{
    return make("os/linux/cpu-shares", shares);
}
Isolator oom_score_adj_isolator(std::int64_t adjustment)
{
    return make("os/linux/oom-score-adj", adjustment);
}
Isolator no_new_privileges_isolator(bool on)
{
    return make("os/linux/no-new-privileges", on);
}

Isolator capabilities_isolator(const CapabilitySet& set)
{
    const bool retain = set.mode == CapabilitySet::Mode::retain;
    return make(retain ? "os/linux/capabilities-retain-set" : "os/linux/capabilities-remove-set",
                json::ObjectWriter{}.set("set", json::to_json(set.names)).done());
}

Isolator seccomp_isolator(const SeccompSet& set)
{
    const bool retain = set.mode == SeccompSet::Mode::retain;
    return make(retain ? "os/linux/seccomp-retain-set" : "os/linux/seccomp-remove-set",
                json::ObjectWriter{}.set("set", json::to_json(set.calls)).set_text("errno", set.errno_name).done());
}

SeccompSet SeccompSet::parse(std::string_view text)
{
    SeccompSet seccomp{.mode = Mode::retain};
    bool has_mode = false;
    for (const auto& part : text::split(text, ',')) {
        const auto equals = part.find('=');
        const auto value = equals == std::string::npos ? std::string{} : part.substr(equals + 1);
        if (equals == std::string::npos) {
            seccomp.calls.push_back(part);
        } else if (part.starts_with("errno=") && seccomp.errno_name.empty()) {
            seccomp.errno_name = value;
        } else if (part.starts_with("mode=") && !has_mode && (value == "retain" || value == "remove")) {
            has_mode = true;
            seccomp.mode = value == "retain" ? Mode::retain : Mode::remove;
        } else if (part.starts_with("mode=")) {
            fail(Error::Kind::usage, "invalid seccomp mode command-line override: {}", text::quoted(value));
        } else {
            fail(Error::Kind::usage, "invalid seccomp command-line override: {}", text::quoted(part));
        }
    }
    if (!has_mode)
        fail(Error::Kind::usage, "invalid seccomp mode command-line override: the mode is missing");
    return seccomp;
}

json::Value to_json(const Isolators& isolators)
{
    json::Array array;
    for (const auto& isolator : isolators.all())
        array.push_back(
            json::ObjectWriter{isolator.unknown}.set("name", isolator.name.str()).set("value", isolator.value).done());
    return array;
}

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
// What bounds an app or a pod: a list of isolators. Known ones are checked when they are read (ISO-2, ISO-3, ISO-8) and
// have typed accessors; unknown ones are carried along with their raw value (ISO-4, RT-3).
// Of several with one name the last one counts (ISO-9). Errors: Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/ac_name.hh"
#include "common/model/json_object.hh"
#include "common/model/quantity.hh"

namespace rocket::model
{

enum class Scope { app, pod };

struct Isolator {
    AcIdentifier name;
    json::Value value; // as it was read
    json::Frame unknown = {};
    bool operator==(const Isolator&) const = default;
};

struct Resource {
    std::optional<Quantity> request; // absent: the same as the limit (RES-1)
    std::optional<Quantity> limit;
};

struct CapabilitySet {
    enum class Mode { retain, remove };
    Mode mode;
    std::vector<std::string> names; // "CAP_CHOWN"; not checked against what any kernel knows (CAP-1)
};

struct SeccompSet {
    enum class Mode { retain, remove };
    Mode mode;
    std::vector<std::string> calls; // names of system calls, or of sets: "@appc.io/all"
    std::string errno_name;         // "EPERM"; empty: the app is killed

    // mode=retain|remove[,errno=E],CALL,... in any order (cli 7.2); Kind::usage
    static SeccompSet parse(std::string_view text);
};

struct SelinuxContext {
    std::string user, role, type, level;
    std::string str() const { return user + ":" + role + ":" + type + ":" + level; }
};

class Isolators
{
public:
    Isolators() = default;
    static Isolators from(const std::vector<json::Cursor>& items);

    const std::vector<Isolator>& all() const noexcept { return list_; }
    bool empty() const noexcept { return list_.empty(); }
    const Isolator* find(std::string_view name) const noexcept;

    std::optional<Resource> cpu() const;
    std::optional<Resource> memory() const;
    std::optional<Resource> block_bandwidth() const;
    std::optional<Resource> block_iops() const;
    std::optional<Resource> network_bandwidth() const;
    std::optional<CapabilitySet> capabilities() const;
    std::optional<SeccompSet> seccomp() const;
    bool no_new_privileges() const;
    std::optional<std::uint32_t> cpu_shares() const;
    std::optional<std::int32_t> oom_score_adj() const;
    std::optional<SelinuxContext> selinux_context() const;
    std::optional<std::string> apparmor_profile() const;
    std::map<std::string, std::string> sysctls() const;

    void append(Isolator isolator);  // checked; the last one counts
    void replace(Isolator isolator); // all of that name, and its conflicting twin, go first (ISO-9)

    // For the report of what is not in force (ISO-5): names nobody knows, and known ones at a scope they do not allow
    // (ISO-7).
    std::vector<std::string> unknown_names() const;
    std::vector<std::string> out_of_scope(Scope scope) const;

    bool operator==(const Isolators&) const = default;

private:
    std::vector<Isolator> list_;
};

// New ones, for what the command line says (cli 7.2).
Isolator memory_isolator(const Quantity& request_and_limit);
Isolator cpu_isolator(const Quantity& request_and_limit);
Isolator cpu_shares_isolator(std::uint64_t shares);       // 2..262144 or Kind::usage
Isolator oom_score_adj_isolator(std::int64_t adjustment); // -1000..1000 or Kind::usage
Isolator no_new_privileges_isolator(bool on);
Isolator capabilities_isolator(const CapabilitySet& set);
Isolator seccomp_isolator(const SeccompSet& set);

json::Value to_json(const Isolators& isolators);

} // namespace rocket::model

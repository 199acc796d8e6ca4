// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/member.hh"

#include <algorithm>
#include <array>

#include "common/model/app_policy.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

using text::quoted;

struct Setting {
    std::string_view section;
    std::string_view key;
    std::string_view annotation; // empty: said to people only
};
constexpr std::array<Setting, 8> settings{{
    {"Service", "KillSignal", "rocket/stop-signal"},
    {"Service", "Restart", "rocket/restart"},
    {"Service", "RestartSec", "rocket/restart-sec"},
    {"Service", "TimeoutStopSec", "rocket/stop-timeout-sec"},
    {"Unit", "Description", ""},
    {"Unit", "Documentation", ""},
    {"Unit", "StartLimitBurst", "rocket/start-limit-burst"},
    {"Unit", "StartLimitIntervalSec", "rocket/start-limit-interval-sec"},
}};

class Member
{
public:
    Member(const std::map<std::string, std::string>& members, App& app) : members_{members}, app_{app} {}

    void read(std::string_view section, const Entry& entry)
    {
        const auto* const setting = std::ranges::find_if(
            settings, [&](const Setting& known) { return known.section == section && known.key == entry.key; });
        if (setting != settings.end())
            return setting->annotation.empty() ? void() : annotate(entry, setting->annotation, entry.value);
        if (section != "Unit" || (entry.key != "After" && entry.key != "Requires" && entry.key != "Wants"))
            refuse(entry, fmt::format("this cannot be said of one app: say it in {}", quoted(app_.pod)));
        order(entry);
    }

    void finish() const
    {
        for (const auto& [name, value] : annotations_)
            app_.flags.push_back(fmt::format("--annotation={}={}", name, value));
    }

private:
    void annotate(const Entry& entry, std::string_view name, const std::string& value)
    {
        annotations_[std::string{name}] = value;
        try { // as it will be read again, but now its place is known
            model::policy_of({{.name = model::AcIdentifier::parse(name), .value = value}});
        } catch (const Error& error) {
            refuse(entry, error.innermost());
        }
    }

    void order(const Entry& entry)
    {
        for (const auto& word : split_words(entry.value)) {
            const auto other = members_.find(word);
            if (other == members_.end()) {
                app_.order.push_back({entry.key, word, entry.place});
            } else if (entry.key != "Wants") { // the pod has all its apps anyway
                auto& list = entry.key == "After" ? after_ : needs_;
                list += (list.empty() ? "" : ",") + other->second;
                annotate(entry, entry.key == "After" ? "rocket/after" : "rocket/requires", list);
            }
        }
    }

    const std::map<std::string, std::string>& members_;
    App& app_;
    std::map<std::string, std::string> annotations_;
    std::string after_, needs_;
};

} // namespace

void read_member(const UnitFile& file, const std::map<std::string, std::string>& members, App& app)
{
    Member member{members, app};
    for (const std::string_view name : {"Unit", "Service"})
        if (const auto* section = file.find(name))
            for (const auto& entry : section->entries)
                member.read(name, entry);
    if (const auto* install = file.find("Install"); install != nullptr && !install->entries.empty())
        refuse(install->entries.front(),
               fmt::format("an app of a pod is not installed by itself: say it in {}", quoted(app.pod)));
    member.finish();
}

} // namespace rocket::quadlet

// SPDX-License-Identifier: Apache-2.0
#include "stage0/update/deployment.hh"

#include <systemd/sd-login.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/model/json_object.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::update
{

namespace
{

namespace json = model::json;
using text::quoted;

constexpr std::size_t longest_history = 20;
constexpr std::string_view ending = ".json";

using NamedOutcome = std::pair<Outcome, std::string_view>;
constexpr NamedOutcome outcomes[] = {
    {Outcome::trying, "trying"},           {Outcome::kept, "kept"},
    {Outcome::went_back, "went back"},     {Outcome::failed, "failed"},
    {Outcome::rolled_back, "rolled back"},
};

Outcome outcome_from(const json::Cursor& cursor)
{
    const auto text = cursor.text();
    const auto* found = std::ranges::find(outcomes, std::string_view{text}, &NamedOutcome::second);
    if (found == std::end(outcomes))
        cursor.fail(" is no outcome");
    return found->first;
}

Images images_from(json::Fields& fields, std::string_view name)
{
    Images images;
    if (const auto cursor = fields.optional(name))
        for (const auto& entry : cursor->text_map())
            images.emplace(entry.first, cursor->at_place([&] { return model::ImageId::parse(entry.second); }));
    return images;
}

json::Value json_of(const Images& images)
{
    std::map<std::string, std::string> texts;
    for (const auto& [reference, id] : images)
        texts.emplace(reference, id.str());
    return json::to_json(texts);
}

Change change_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.time_ns = fields.required("time").integer(0, INT64_MAX),
            .before = images_from(fields, "before"),
            .after = images_from(fields, "after"),
            .outcome = outcome_from(fields.required("outcome")),
            .reason = fields.text_or("reason", "")};
}

json::Value json_of(const Change& change)
{
    return json::ObjectWriter{}
        .set("time", change.time_ns)
        .set("before", json_of(change.before))
        .set("after", json_of(change.after))
        .set("outcome", name_of(change.outcome))
        .set_text("reason", change.reason)
        .done();
}

Deployment load_at(int dir, const std::string& unit)
{
    const auto bytes = file::read_if_exists(dir, unit + std::string{ending});
    if (!bytes)
        return {};
    return with_context(fmt::format("what is known of updates of {}", quoted(unit)),
                        [&] { return Deployment::parse(*bytes); });
}

Lock lock_of(int dir, const std::string& unit)
{
    auto lock =
        Lock::try_take(sys::open(dir, unit + ".lock", O_RDONLY | O_CREAT | O_NOFOLLOW, 0640), Lock::Mode::exclusive);
    if (!lock)
        fail(Error::Kind::busy, "{} is being updated by another command", quoted(unit));
    return std::move(*lock);
}

} // namespace

std::string_view name_of(Outcome outcome) noexcept
{
    return std::ranges::find(outcomes, outcome, &NamedOutcome::first)->second;
}

Deployment Deployment::parse(std::string_view text)
{
    const auto value = json::parse(text, "deployment");
    json::Fields fields{{value, "deployment"}};
    Deployment deployment{.pins = images_from(fields, "pins"), .history = {}};
    for (const auto& change : fields.items("history"))
        deployment.history.push_back(change_from(change));
    return deployment;
}

std::string Deployment::text() const
{
    json::Array changes;
    for (const auto& change : history)
        changes.push_back(json_of(change));
    const auto value = json::ObjectWriter{}.set("pins", json_of(pins)).set("history", std::move(changes)).done();
    return json::write(value, json::Style::tabs) + "\n";
}

void Deployment::add(Change change)
{
    history.push_back(std::move(change));
    if (history.size() > longest_history)
        history.erase(history.begin());
}

bool Deployment::is_bad(const Images& images) const
{
    for (auto change = history.rbegin(); change != history.rend(); ++change) {
        if (change->after == images && change->outcome == Outcome::kept)
            return false;
        if (change->after == images && (change->outcome == Outcome::went_back || change->outcome == Outcome::failed))
            return true;
        if (change->before == images && change->outcome == Outcome::rolled_back)
            return true;
    }
    return false;
}

Images Deployment::latest() const
{
    if (!pins.empty() || history.empty())
        return pins;
    const auto& last = history.back();
    return last.outcome == Outcome::went_back ? last.before : last.after;
}

const Images* Deployment::previous(const Images& now) const
{
    const bool is_known =
        std::ranges::any_of(history, [&](const Change& change) { return change.before == now || change.after == now; });
    const auto last = std::find_if(history.rbegin(), history.rend(), [&](const Change& change) {
        return change.outcome == Outcome::kept && (!is_known || change.after == now);
    });
    return last != history.rend() && !last->before.empty() ? &last->before : nullptr;
}

std::string unit_name(const std::string& given)
{
    const auto name = given.find('.') == std::string::npos ? given + ".service" : given;
    constexpr std::size_t longest = 255;
    const bool right = name.ends_with(".service") && name.size() <= longest && name.front() != '.' &&
                       name.find('/') == std::string::npos && text::printable(name) == name;
    if (!right)
        throw Error{Error::Kind::usage, fmt::format("{} is not the name of a service", quoted(given)),
                    given.ends_with(".container") ? "name the service that is made of the file, as in web.service"
                    : given.ends_with(".pod")     ? "name the service that is made of the file, as in web-pod.service"
                                                  : ""};
    return name;
}

Deployment load(const model::Layout& layout, const std::string& unit)
{
    return load_at(AT_FDCWD, layout.deployments() + "/" + unit);
}

std::vector<std::string> all_units(const model::Layout& layout)
{
    std::vector<std::string> units;
    for (const auto& name : file::list_if_exists(AT_FDCWD, layout.deployments()).value_or(std::vector<std::string>{}))
        if (name.ends_with(ending))
            units.push_back(name.substr(0, name.size() - ending.size()));
    return units;
}

OwnedDeployment::OwnedDeployment(const model::Layout& layout, std::string unit)
    : dir_{(sys::make_dir_if_missing(AT_FDCWD, layout.deployments(), 0755),
            sys::open(AT_FDCWD, layout.deployments(), O_RDONLY | O_DIRECTORY))},
      unit_{std::move(unit)}, lock_{lock_of(dir_.get(), unit_)}, deployment_{load_at(dir_.get(), unit_)}
{
}

void OwnedDeployment::save() const
{
    file::write_atomic(dir_.get(), unit_ + std::string{ending}, deployment_.text());
}

Images own_pins(const model::Layout& layout)
{
    char* raw = nullptr;
    if (::sd_pid_get_unit(0, &raw) < 0)
        return {};
    const std::unique_ptr<char, decltype(&std::free)> unit{raw, &std::free};
    return load(layout, unit.get()).pins;
}

std::set<model::ImageId> images_in_use(const model::Layout& layout)
{
    std::set<model::ImageId> used;
    const auto add = [&](const Images& images) {
        for (const auto& [reference, id] : images)
            used.insert(id);
    };
    for (const auto& unit : all_units(layout)) {
        const auto deployment = load(layout, unit);
        add(deployment.pins);
        if (deployment.history.empty())
            continue;
        add(deployment.history.back().before);
        add(deployment.history.back().after);
        if (const auto* previous = deployment.previous(deployment.latest()))
            add(*previous);
    }
    return used;
}

} // namespace rocket::update

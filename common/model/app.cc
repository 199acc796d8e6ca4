// SPDX-License-Identifier: Apache-2.0
#include "common/model/app.hh"

#include <algorithm>
#include <unordered_set>

#include "common/model/json_list.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

std::string_view word(EventHandler::Event event)
{
    return event == EventHandler::Event::pre_start ? "pre-start" : "post-stop";
}

std::vector<std::string> exec_from(json::Fields& fields) // may be absent or null (APP-1)
{
    const auto exec = fields.optional("exec");
    return exec ? exec->texts() : std::vector<std::string>{};
}

EventHandler handler_from(const json::Cursor& cursor)
{
    using Event = EventHandler::Event;
    json::Fields fields{cursor};
    const auto name = fields.required_text("name");
    const auto text = name.text();
    if (text != word(Event::pre_start) && text != word(Event::post_stop))
        name.fail(fmt::format(" must be \"pre-start\" or \"post-stop\", not {}", text::quoted(text)));
    EventHandler handler{.event = text == word(Event::pre_start) ? Event::pre_start : Event::post_stop,
                         .exec = exec_from(fields)};
    handler.unknown = fields.rest();
    return handler;
}

EnvironmentVariable variable_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    const auto name = fields.required("name");
    name.at_place([&] { check_environment_name(name.text()); });
    EnvironmentVariable variable{.name = name.text(), .value = fields.text_or("value", "")};
    variable.unknown = fields.rest();
    return variable;
}

// Each item read by `read`; an error if `key` of two of them is the same.
template <typename Read, typename Key>
auto unique_list(const std::vector<json::Cursor>& items, Read read, Key key)
{
    std::vector<decltype(read(items.front()))> list;
    std::unordered_set<std::string> seen;
    for (const auto& item : items) {
        list.push_back(read(item));
        if (const auto name = key(list.back()); !seen.insert(name).second)
            item.fail(fmt::format(": there is another {}", text::quoted(name)));
    }
    return list;
}

std::vector<MountPoint> mount_points_from(const std::vector<json::Cursor>& items)
{
    auto points = unique_list(items, MountPoint::from, [](const MountPoint& point) { return point.name.str(); });
    std::unordered_set<std::string> paths;
    for (std::size_t i = 0; i < points.size(); ++i)
        if (!paths.insert(clean_absolute(points[i].path)).second)
            items[i].fail(fmt::format(": there is another with the path {}", text::quoted(points[i].path)));
    return points;
}

std::vector<std::uint32_t> gids_from(const std::vector<json::Cursor>& items)
{
    std::vector<std::uint32_t> gids;
    std::unordered_set<std::uint32_t> seen;
    for (const auto& item : items) {
        const auto gid = static_cast<std::uint32_t>(item.integer(0, 4294967294)); // APP-8
        if (seen.insert(gid).second)
            gids.push_back(gid);
    }
    return gids;
}

std::string working_directory_from(const std::optional<json::Cursor>& cursor)
{
    if (!cursor)
        return {};
    auto path = cursor->text();
    if (!path.empty() && !path.starts_with('/'))
        cursor->fail(fmt::format(" must be an absolute path, not {}", text::quoted(path)));
    return path;
}

std::map<std::string, std::string> map_from(const std::optional<json::Cursor>& cursor)
{
    return cursor ? cursor->text_map() : std::map<std::string, std::string>{};
}

} // namespace

json::Value EventHandler::json() const
{
    return json::ObjectWriter{unknown}.set("name", word(event)).set("exec", json::to_json(exec)).done();
}

json::Value EnvironmentVariable::json() const
{
    return json::ObjectWriter{unknown}.set("name", name).set("value", value).done();
}

App App::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    App app{.exec = exec_from(fields),
            .user = fields.required_text("user").text(),
            .group = fields.required_text("group").text(),
            .supplementary_gids = gids_from(fields.items("supplementaryGIDs")),
            .event_handlers = unique_list(fields.items("eventHandlers"), handler_from,
                                          [](const EventHandler& h) { return std::string{word(h.event)}; }),
            .working_directory = working_directory_from(fields.optional("workingDirectory")),
            .environment = unique_list(fields.items("environment"), variable_from,
                                       [](const EnvironmentVariable& v) { return v.name; }),
            .mount_points = mount_points_from(fields.items("mountPoints")),
            .ports = unique_list(fields.items("ports"), Port::from, [](const Port& p) { return p.name.str(); }),
            .isolators = Isolators::from(fields.items("isolators")),
            .user_annotations = map_from(fields.optional("userAnnotations")),
            .user_labels = map_from(fields.optional("userLabels"))};
    app.unknown = fields.rest();
    return app;
}

json::Value App::json() const // order and omissions: RT-5, RT-6
{
    const json::Array gids(supplementary_gids.begin(), supplementary_gids.end());
    return json::ObjectWriter{unknown}
        .set("exec", json::to_json(exec))
        .set_if(!event_handlers.empty(), "eventHandlers", json::list_of(event_handlers))
        .set("user", user)
        .set("group", group)
        .set_if(!gids.empty(), "supplementaryGIDs", gids)
        .set_text("workingDirectory", working_directory)
        .set_if(!environment.empty(), "environment", json::list_of(environment))
        .set_if(!mount_points.empty(), "mountPoints", json::list_of(mount_points))
        .set_if(!ports.empty(), "ports", json::list_of(ports))
        .set_if(!isolators.empty(), "isolators", to_json(isolators))
        .set_if(!user_annotations.empty(), "userAnnotations", json::to_json(user_annotations))
        .set_if(!user_labels.empty(), "userLabels", json::to_json(user_labels))
        .done();
}

const EventHandler* App::handler(EventHandler::Event event) const noexcept
{
    const auto found = std::ranges::find(event_handlers, event, &EventHandler::event);
    return found == event_handlers.end() ? nullptr : &*found;
}

void check(const App& app, std::string_view place)
{
    const auto value = app.json(); // the one validator is the reader
    App::from({value, std::string{place}});
}

void check_environment_name(std::string_view name)
{
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto is_other = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; };
    if (name.empty())
        fail(Error::Kind::usage, "the name of an environment variable cannot be empty");
    if (!is_letter(name.front()) || !std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_other(c); }))
        fail(Error::Kind::usage, "{} is not a valid name of an environment variable", text::quoted(name));
}

const std::string* find(const Environment& environment, std::string_view name) noexcept
{
    const auto found = std::ranges::find(environment, name, &EnvironmentVariable::name);
    return found == environment.end() ? nullptr : &found->value;
}

void set(Environment& environment, std::string_view name, std::string value)
{
    const auto found = std::ranges::find(environment, name, &EnvironmentVariable::name);
    if (found == environment.end())
        environment.push_back({std::string{name}, std::move(value)});
    else
        found->value = std::move(value);
}

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/pod_json.hh"

#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;
using pod::Time;

std::int64_t seconds(Time time)
{
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void set_nanoseconds(json::ObjectWriter& object, std::string_view name, const std::optional<Time>& time)
{
    if (time)
        object.set(name, std::int64_t{time->time_since_epoch().count()});
}

void set_map(json::ObjectWriter& object, std::string_view name, const std::map<std::string, std::string>& map)
{
    object.set_if(!map.empty(), name, json::to_json(map));
}

const model::Volume* find_volume(const pod::PodInfo& info, const model::Mount& mount)
{
    if (mount.app_volume)
        return &*mount.app_volume;
    for (const auto& volume : info.volumes)
        if (volume.name == mount.volume)
            return &volume;
    return nullptr;
}

const model::MountPoint* find_mount_point(const model::RuntimeApp& app, const std::string& path)
{
    if (app.app)
        for (const auto& point : app.app->mount_points)
            if (clean_absolute(point.path) == clean_absolute(path))
                return &point;
    return nullptr;
}

// As stage1 has it: an empty volume of the mount's own is the app's alone (VOL-7).
std::string volume_path(const pod::PodInfo& info, const model::RuntimeApp& app, const model::Mount& mount)
{
    const bool shared =
        !mount.app_volume || std::ranges::find(info.volumes, mount.volume, &model::Volume::name) != info.volumes.end();
    return shared ? model::pod_dir::volume(mount.volume) : model::pod_dir::volume(app.name, mount.volume);
}

json::Value mounts_of(const pod::PodInfo& info, const model::RuntimeApp& app, const std::string& pod_path)
{
    json::Array mounts;
    for (const auto& mount : app.mounts) {
        const auto* volume = find_volume(info, mount);
        if (!volume)
            continue;
        const bool host = volume->kind == model::Volume::Kind::host;
        mounts.push_back(json::ObjectWriter{}
                             .set("name", mount.volume.str())
                             .set("container_path", mount.path)
                             .set("host_path", host ? volume->source : pod_path + "/" + volume_path(info, app, mount))
                             .set("read_only", model::is_read_only(*volume, find_mount_point(app, mount.path)))
                             .done());
    }
    return mounts;
}

json::Value health_json(const pod::AppHealth& health)
{
    json::ObjectWriter object;
    object.set_text("status", health.status).set("failing_streak", health.failing_streak);
    set_nanoseconds(object, "checked_at", health.checked);
    if (health.exit_code)
        object.set("exit_code", std::int64_t{*health.exit_code}).set_text("output", health.output);
    return std::move(object).done();
}

json::Value app_json(const pod::PodInfo& info, const pod::AppInfo& app, const std::string& pod_path)
{
    const auto& [runtime, state, result, created, health, reports] = app;
    const bool ended = state == "exited";
    json::ObjectWriter object;
    object.set("name", runtime.name.str()).set("state", state);
    set_nanoseconds(object, "created_at", created ? created : info.created);
    set_nanoseconds(object, "started_at", result.started || info.is_mutable ? result.started : info.started);
    set_nanoseconds(object, "finished_at", !ended ? std::nullopt : result.finished ? result.finished : info.marked);
    if (const auto status = result.status())
        object.set("exit_code", std::int64_t{*status});
    if (result.signal)
        object.set("signal", std::int64_t{*result.signal});
    object.set_if(result.out_of_memory, "oom", true);
    object.set_if(result.restarts > 0, "restarts", std::int64_t{result.restarts});
    object.set("image_id", runtime.image.id ? runtime.image.id->str() : std::string{});
    object.set_if(!runtime.mounts.empty(), "mounts", mounts_of(info, runtime, pod_path));
    if (runtime.app) {
        set_map(object, "user_annotations", runtime.app->user_annotations);
        set_map(object, "user_labels", runtime.app->user_labels);
    }
    if (health)
        object.set("health", health_json(*health));
    object.set_if(!reports.empty(), "reports", json::to_json(reports));
    return std::move(object).done();
}

json::Value network_json(const model::AttachedNetwork& network)
{
    const auto& request = network.request;
    json::ObjectWriter object;
    object.set("netName", request.config.name)
        .set("netConf", request.file)
        .set("pluginPath", network.paths.front())
        .set("ifName", request.interface);
    const auto* v4 = network.result->find(false);
    object.set("ip", v4 ? v4->address : std::string{})
        .set("args", request.args)
        .set("mask", v4 ? v4->mask() : std::string{});
    if (const auto* v6 = network.result->find(true))
        object.set("ip6", v6->address).set("prefix6", fmt::format("{}", v6->prefix));
    return object.done();
}

std::string path_of(const pod::PodInfo& info, const model::Layout& layout)
{
    const auto stage = info.state == pod::State::prepared ? model::PodStage::prepared
                       : info.state == pod::State::running || info.state == pod::State::exited
                           ? model::PodStage::run
                           : model::PodStage::exited_garbage;
    return layout.pod(stage, info.id);
}

} // namespace

Format parse_format(const std::string& name)
{
    if (name.empty())
        return Format::table;
    if (name == "json")
        return Format::json;
    if (name == "json-pretty")
        return Format::json_pretty;
    fail(Error::Kind::usage, "Invalid format option: {}", text::printable(name));
}

json::Value to_json(const pod::PodInfo& info, const model::Layout& layout)
{
    const auto path = path_of(info, layout);
    json::Array names, apps, networks;
    for (const auto& network : info.networks)
        networks.push_back(network_json(network));
    for (const auto& app : info.apps) {
        names.push_back(app.app.name.str());
        apps.push_back(app_json(info, app, path));
    }
    json::ObjectWriter object;
    object.set("name", info.id.str()).set("state", name_of(info.state));
    if (!networks.empty())
        object.set("networks", std::move(networks));
    if (!names.empty())
        object.set("app_names", std::move(names)).set("apps", std::move(apps));
    if (info.created)
        object.set("created_at", seconds(*info.created));
    if (info.started)
        object.set("started_at", seconds(*info.started));
    set_map(object, "user_annotations", info.user_annotations);
    set_map(object, "user_labels", info.user_labels);
    if (info.exit)
        object.set("exit_status", info.exit->status).set_text("exit_reason", info.exit->reason);
    return std::move(object).done();
}

json::Value to_json(const pod::PodInfo& info, const pod::AppInfo& app, const model::Layout& layout)
{
    return app_json(info, app, path_of(info, layout));
}

std::string health_cell(const pod::AppInfo& app)
{
    return app.health ? text::printable(app.health->status) : std::string{};
}

void print_json(const Context& context, const json::Value& value, Format format)
{
    const auto text = json::write(value, format == Format::json_pretty ? json::Style::tabs : json::Style::compact);
    std::string escaped; // these three occur in strings only
    for (const char c : text)
        if (c == '<' || c == '>' || c == '&')
            escaped += fmt::format("\\u{:04x}", c);
        else
            escaped += c;
    context.out("{}\n", escaped);
}

} // namespace rocket::cli

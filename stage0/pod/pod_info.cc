// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/pod_info.hh"

#include "common/model/health_check.hh"
#include "common/model/json_object.hh"
#include "common/model/mutability.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

namespace json = model::json;
namespace pod_dir = model::pod_dir;
constexpr std::size_t record_limit = 64U << 10U;

std::optional<std::int64_t> integer(json::Fields& fields, std::string_view name)
{
    const auto value = fields.optional(name);
    return value ? std::optional{value->integer(INT64_MIN, INT64_MAX)} : std::nullopt;
}

std::optional<Time> time(json::Fields& fields, std::string_view name)
{
    const auto value = integer(fields, name);
    return value && *value > 0 ? std::optional{Time{std::chrono::nanoseconds{*value}}} : std::nullopt;
}

std::optional<int> small(json::Fields& fields, std::string_view name)
{
    const auto value = fields.optional(name);
    return value ? std::optional{static_cast<int>(value->integer(0, 1 << 16))} : std::nullopt;
}

AppResult read_result(const Pod& pod, const model::AppName& app)
{
    const auto text = file::read_if_exists(pod.fd(), pod_dir::app_result(app), record_limit);
    if (!text)
        return {};
    const auto value = json::parse(*text, "app result");
    json::Fields fields{{value, "result"}};
    return {.code = small(fields, "code"),
            .signal = small(fields, "signal"),
            .out_of_memory = fields.boolean_or("oom", false),
            .restarts = small(fields, "restarts").value_or(0),
            .started = time(fields, "started_ns"),
            .finished = time(fields, "finished_ns")};
}

// Only those that are checked have a record.
std::optional<AppHealth> read_health(const Pod& pod, const model::RuntimeApp& app)
{
    if (model::find(app.annotations, "rocket/health-cmd") == nullptr)
        return std::nullopt;
    const auto text = file::read_if_exists(pod.fd(), model::health_record(app.name), record_limit);
    if (!text)
        return std::nullopt;
    const auto value = json::parse(*text, "app health");
    json::Fields fields{{value, "health"}};
    return AppHealth{.status = fields.text_or("status", ""),
                     .failing_streak = integer(fields, "failing_streak").value_or(0),
                     .checked = time(fields, "checked_ns"),
                     .exit_code = small(fields, "exit_code"),
                     .output = fields.text_or("output", "")};
}

std::optional<ExitRecord> read_exit(const Pod& pod)
{
    const auto text = file::read_if_exists(pod.fd(), pod_dir::exit_record, record_limit);
    if (!text)
        return std::nullopt;
    const auto value = json::parse(*text, "exit record");
    json::Fields fields{{value, "exit"}};
    return ExitRecord{integer(fields, "status").value_or(0), fields.text_or("reason", "")};
}

// "PID" or "PID START_TIME"
std::optional<std::int64_t> read_pid(const Pod& pod)
{
    const auto text = file::read_if_exists(pod.fd(), pod_dir::pid1, record_limit);
    if (!text)
        return std::nullopt;
    const auto number = text->substr(0, text->find_first_of(" \n"));
    return text::parse_signed(number, 1, INT32_MAX);
}

// What stage1 could not put in force, as it resolved the app. The file is not for everyone's eyes, and not there before
// the pod's first start.
std::vector<std::string> read_reports(const Pod& pod, const model::AppName& app)
{
    try {
        const auto text = file::read_if_exists(pod.fd(), pod_dir::app_spec(app));
        if (!text)
            return {};
        const auto value = json::parse(*text, "app");
        const auto* reports = value.find("reports");
        return reports ? json::Cursor{*reports, "reports"}.texts() : std::vector<std::string>{};
    } catch (const Error&) {
        return {};
    }
}

std::string app_state(State pod, const AppResult& result)
{
    if (result.status())
        return "exited";
    if (pod == State::prepared)
        return "created";
    if (pod == State::running)
        return "running";
    return has_ended(pod) ? "exited" : "unknown";
}

// Those with an address; none for a pod whose file is not to be understood, or not to be read.
std::vector<model::AttachedNetwork> read_networks(const Pod& pod)
{
    try {
        const auto text = file::read_if_exists(pod.fd(), pod_dir::network_state);
        auto networks = text ? model::NetworkState::parse(*text).networks : std::vector<model::AttachedNetwork>{};
        std::erase_if(networks, [](const auto& network) { return !network.result; });
        return networks;
    } catch (const Error&) {
        return {};
    }
}

// While it is being prepared, and while it is deleted, files come and go.
bool manifest_is_readable(State state)
{
    return state != State::preparing && state != State::aborted_prepare && state != State::deleting &&
           state != State::gone;
}

std::optional<AppInfo> read_app(const Pod& pod, const model::RuntimeApp& app, Detail detail)
{
    auto result = detail == Detail::full ? read_result(pod, app.name) : AppResult{};
    return AppInfo{.app = app, .state = app_state(pod.state(), result), .result = result};
}

// Whether an app is being added or removed, or a killed command has left it half-way (mutable_pod.hh).
bool is_in_change(const Pod& pod, const model::AppName& app)
{
    try {
        return file::read_if_exists(pod.fd(), pod_dir::change, record_limit) == app.str();
    } catch (const Error&) { // the record is for root
        return false;
    }
}

// Of a mutable pod; nothing for one that is only just being added, or is not to be there any more (internals 9).
std::optional<AppInfo> read_changing_app(const Pod& pod, const model::RuntimeApp& app)
{
    const auto created = pod.mtime(pod_dir::app_created(app.name));
    if (!created || is_in_change(pod, app.name))
        return std::nullopt;
    AppInfo info{.app = app, .state = "created", .result = read_result(pod, app.name), .created = created};
    const auto started = pod.mtime(pod_dir::app_started(app.name));
    if (started)
        info.state = info.result.status() || has_ended(pod.state()) ? "exited" : "running";
    if (!info.result.started)
        info.result.started = started;
    return info;
}

} // namespace

bool was_lost(const Pod& pod)
{
    const auto is_empty = [&](const char* file) {
        const auto info = sys::stat_if_exists(pod.fd(), file);
        return !info || info->st_size == 0;
    };
    return has_ended(pod.state()) && (is_empty(pod_dir::manifest) || is_empty(pod_dir::runtime));
}

PodInfo read_info(const Pod& pod, Detail detail)
{
    PodInfo info{.id = pod.id(),
                 .state = pod.state(),
                 .created = pod.created(),
                 .started = pod.started(),
                 .marked = pod.marked()};
    if (!manifest_is_readable(info.state) || was_lost(pod))
        return info;
    auto manifest = model::PodManifest::parse(file::read(pod.fd(), pod_dir::manifest));
    info.volumes = std::move(manifest.volumes);
    info.user_annotations = std::move(manifest.user_annotations);
    info.user_labels = std::move(manifest.user_labels);
    info.is_mutable = model::is_mutable(manifest);
    for (auto& app : manifest.apps)
        if (auto known = info.is_mutable ? read_changing_app(pod, app) : read_app(pod, app, detail)) {
            known->reports = detail == Detail::full ? read_reports(pod, app.name) : std::vector<std::string>{};
            known->health = read_health(pod, app);
            info.apps.push_back(std::move(*known));
        }
    if (info.state == State::running || info.state == State::exited)
        info.networks = read_networks(pod);
    if (detail == Detail::full) {
        info.pid = read_pid(pod);
        info.exit = read_exit(pod);
    }
    return info;
}

std::string network_addresses(const PodInfo& pod)
{
    std::vector<std::string> words;
    for (const auto& network : pod.networks)
        for (const auto& address : network.result->addresses)
            words.push_back(
                fmt::format("{}:{}={}", network.request.config.name, address.is_v6 ? "ip6" : "ip4", address.address));
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string image_name(const model::ImageReference& image)
{
    if (!image.name)
        return "--";
    const auto* version = model::find(image.labels, "version");
    return version ? fmt::format("{}:{}", image.name->str(), *version) : image.name->str();
}

} // namespace rocket::pod

// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_spec.hh"

#include <algorithm>

#include "common/model/json_list.hh"
#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

namespace json = model::json;

constexpr std::int64_t largest = INT64_MAX;
constexpr std::string_view mode_names[] = {"off", "allow", "deny"};

std::uint64_t number(const json::Cursor& cursor, std::int64_t max = largest)
{
    return static_cast<std::uint64_t>(cursor.integer(0, max));
}

std::optional<std::uint64_t> optional_number(json::Fields& fields, std::string_view name)
{
    const auto value = fields.optional(name);
    return value ? std::optional{number(*value)} : std::nullopt;
}

std::uint32_t id(const json::Cursor& cursor)
{
    return static_cast<std::uint32_t>(number(cursor, UINT32_MAX - 1));
}

json::Value to_value(const Command& command)
{
    return json::Object{{"path", command.path}, {"argv", json::to_json(command.argv)}};
}

Command command_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.path = fields.required("path").text(), .argv = fields.required("argv").texts()};
}

std::optional<Command> optional_command(json::Fields& fields, std::string_view name)
{
    const auto value = fields.optional(name);
    return value ? std::optional{command_from(*value)} : std::nullopt;
}

json::Value to_value(const SeccompPolicy& policy)
{
    json::ObjectWriter writer;
    writer.set("mode", mode_names[static_cast<std::size_t>(policy.mode)])
        .set("syscalls", json::to_json(policy.syscalls));
    if (policy.error)
        writer.set("error", *policy.error);
    writer.set("default", policy.is_default);
    return std::move(writer).done();
}

SeccompPolicy seccomp_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    SeccompPolicy policy;
    const auto mode = fields.required("mode");
    const auto* const found = std::find(std::begin(mode_names), std::end(mode_names), mode.text());
    if (found == std::end(mode_names))
        mode.fail(" is no seccomp mode");
    policy.mode = static_cast<SeccompPolicy::Mode>(found - mode_names);
    policy.syscalls = fields.required("syscalls").texts();
    if (const auto error = fields.optional("error"))
        policy.error = static_cast<int>(error->integer(1, 4095));
    policy.is_default = fields.required("default").boolean();
    return policy;
}

json::Value to_value(const Resources& resources)
{
    json::ObjectWriter writer;
    const auto set = [&](std::string_view name, const std::optional<std::uint64_t>& value) {
        if (value)
            writer.set(name, *value);
    };
    set("memoryMax", resources.memory_max);
    set("memoryLow", resources.memory_low);
    set("cpuQuotaUsec", resources.cpu_quota_usec);
    set("cpuWeight", resources.cpu_weight);
    set("blockBandwidth", resources.block_bandwidth);
    set("blockIops", resources.block_iops);
    writer.set("disks", json::to_json(resources.disks));
    if (resources.open_files) {
        writer.set("openFiles", resources.open_files->soft);
        writer.set("openFilesMax", resources.open_files->hard);
    }
    writer.set("tasksMax", resources.tasks_max);
    return std::move(writer).done();
}

Resources resources_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    std::optional<OpenFiles> files;
    if (const auto soft = optional_number(fields, "openFiles"))
        files = OpenFiles{*soft, number(fields.required("openFilesMax"))};
    return {.memory_max = optional_number(fields, "memoryMax"),
            .memory_low = optional_number(fields, "memoryLow"),
            .cpu_quota_usec = optional_number(fields, "cpuQuotaUsec"),
            .cpu_weight = optional_number(fields, "cpuWeight"),
            .block_bandwidth = optional_number(fields, "blockBandwidth"),
            .block_iops = optional_number(fields, "blockIops"),
            .disks = fields.required("disks").texts(),
            .open_files = files,
            .tasks_max = number(fields.required("tasksMax"))};
}

json::Value to_value(const SecurityLabels& labels)
{
    return json::Object{{"apparmorProfile", labels.apparmor_profile}, {"selinuxContext", labels.selinux_context}};
}

SecurityLabels labels_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.apparmor_profile = fields.required("apparmorProfile").text(),
            .selinux_context = fields.required("selinuxContext").text()};
}

json::Value to_value(const DeviceRule& rule)
{
    return json::Object{
        {"block", rule.block}, {"major", rule.major}, {"minor", rule.minor}, {"writable", rule.writable}};
}

DeviceRule device_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.block = fields.required("block").boolean(),
            .major = static_cast<unsigned>(number(fields.required("major"), UINT32_MAX)),
            .minor = static_cast<unsigned>(number(fields.required("minor"), UINT32_MAX)),
            .writable = fields.required("writable").boolean()};
}

json::Value to_value(const EnvVar& var)
{
    return json::Object{{"name", var.name}, {"value", var.value}};
}

EnvVar variable_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.name = fields.required_text("name").text(), .value = fields.required("value").text()};
}

} // namespace

std::string unit_name(std::string_view app)
{
    return fmt::format("app-{}.service", app);
}

std::string to_json(const AppSpec& spec)
{
    json::ObjectWriter writer;
    writer.set("name", spec.name).set("uid", spec.uid).set("gid", spec.gid).set("firstId", spec.first_id);
    writer.set("supplementaryGIDs",
               json::list_of(spec.supplementary_gids, [](std::uint32_t gid) { return json::Value{gid}; }));
    writer.set("main", to_value(spec.main));
    if (spec.pre_start)
        writer.set("preStart", to_value(*spec.pre_start));
    if (spec.post_stop)
        writer.set("postStop", to_value(*spec.post_stop));
    if (spec.health_check)
        writer.set("healthCheck", to_value(*spec.health_check));
    if (spec.startup_check)
        writer.set("startupCheck", to_value(*spec.startup_check));
    writer.set("execError", spec.exec_error).set("workingDirectory", spec.working_directory);
    writer.set("environment", json::list_of(spec.environment, [](const EnvVar& var) { return to_value(var); }));
    writer.set("boundingSet", spec.bounding_set)
        .set("ambientSet", spec.ambient_set)
        .set("noNewPrivileges", spec.no_new_privileges);
    writer.set("seccomp", to_value(spec.seccomp))
        .set("labels", to_value(spec.labels))
        .set("resources", to_value(spec.resources));
    if (spec.oom_score_adjust)
        writer.set("oomScoreAdjust", *spec.oom_score_adjust);
    writer.set("restrictDevices", spec.restrict_devices);
    writer.set("devices", json::list_of(spec.devices, [](const DeviceRule& rule) { return to_value(rule); }));
    if (spec.watchdog_usec)
        writer.set("watchdogUSec", *spec.watchdog_usec);
    writer.set("notifies", spec.notifies).set("reports", json::to_json(spec.reports));
    return json::write(std::move(writer).done());
}

AppSpec app_spec_from_json(std::string_view text)
{
    const auto value = json::parse(text, "app specification");
    json::Fields fields{json::Cursor{value, "spec"}};
    AppSpec spec;
    spec.name = fields.required_text("name").text();
    spec.uid = id(fields.required("uid"));
    spec.gid = id(fields.required("gid"));
    spec.first_id = id(fields.required("firstId"));
    spec.supplementary_gids = json::each(fields.required("supplementaryGIDs").items(), id);
    spec.main = command_from(fields.required("main"));
    spec.pre_start = optional_command(fields, "preStart");
    spec.post_stop = optional_command(fields, "postStop");
    spec.health_check = optional_command(fields, "healthCheck");
    spec.startup_check = optional_command(fields, "startupCheck");
    spec.exec_error = fields.required("execError").text();
    spec.working_directory = fields.required_text("workingDirectory").text();
    spec.environment = json::each(fields.required("environment").items(), variable_from);
    spec.bounding_set = number(fields.required("boundingSet"));
    spec.ambient_set = number(fields.required("ambientSet"));
    spec.no_new_privileges = fields.required("noNewPrivileges").boolean();
    spec.seccomp = seccomp_from(fields.required("seccomp"));
    spec.labels = labels_from(fields.required("labels"));
    spec.resources = resources_from(fields.required("resources"));
    if (const auto adjust = fields.optional("oomScoreAdjust"))
        spec.oom_score_adjust = static_cast<int>(adjust->integer(-1000, 1000));
    spec.restrict_devices = fields.required("restrictDevices").boolean();
    spec.devices = json::each(fields.required("devices").items(), device_from);
    spec.notifies = fields.required("notifies").boolean();
    spec.watchdog_usec = optional_number(fields, "watchdogUSec");
    spec.reports = fields.required("reports").texts();
    return spec;
}

void save(const AppSpec& spec, int pod_dir)
{
    const auto name = model::AppName::parse(spec.name);
    const auto path = model::pod_dir::app_spec(name);
    const auto dir = sys::open(pod_dir, model::pod_dir::app(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    file::write_volatile(dir.get(), path.substr(path.rfind('/') + 1), to_json(spec), 0600);
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/records.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/model/json.hh"
#include "common/model/json_object.hh"
#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

namespace json = model::json;

json::Value number_or_null(const std::optional<int>& number)
{
    return number ? json::Value{std::int32_t{*number}} : json::Value{};
}

std::string file_name(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);
}

constexpr off_t reserved_bytes = 64 << 10;

// An app may fill the disk that its pod directory is on; how it ended is recorded all the same.
template <typename Write>
void write_from_reserve(int pod_dir, Write&& write)
{
    try {
        write();
    } catch (const Error& error) {
        if (error.error_number() != ENOSPC || !sys::unlink_if_exists(pod_dir, model::pod_dir::reserve))
            throw;
        write();
    }
}

Fd open_status(int pod_dir)
{
    sys::make_dir_if_missing(pod_dir, model::pod_dir::status, 0755);
    return sys::open(pod_dir, model::pod_dir::status, O_RDONLY | O_DIRECTORY);
}

} // namespace

void try_to_record(const std::function<void()>& record)
{
    try {
        record();
    } catch (const Error& error) {
        log::print("warning: not recorded: {}", error.what());
    }
}

void record_start(int pod_dir, const std::string& group)
{
    file::write_volatile(pod_dir, model::pod_dir::subcgroup, group + '\n');
    file::write_volatile(pod_dir, model::pod_dir::ppid, fmt::format("{}\n", ::getpid()));
}

void record_init(int pod_dir, pid_t init, const std::vector<AppSpec>& apps)
{
    for (const auto& app : apps) {
        const auto path = model::pod_dir::app_spec(model::AppName::parse(app.name));
        const auto dir = sys::open(pod_dir, path.substr(0, path.rfind('/')), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        file::write_volatile(dir.get(), file_name(path), to_json(app), 0600);
    }
    file::write_volatile(pod_dir, model::pod_dir::pid1, fmt::format("{} {}\n", init, start_time(init).value_or(0)));
    const auto reserve = sys::open(pod_dir, model::pod_dir::reserve, O_CREAT | O_WRONLY | O_NOFOLLOW, 0600);
    if (const int failed = ::posix_fallocate(reserve.get(), 0, reserved_bytes); failed != 0)
        throw system_error(failed, "reserving room for the pod's records");
}

void record_ready(int pod_dir)
{
    file::write_volatile(pod_dir, model::pod_dir::supervisor_status, "ready");
}

void record_result(int pod_dir, const std::string& app, const AppResult& result)
{
    const auto name = model::AppName::parse(app);
    const json::Object record{
        {"code", number_or_null(result.code)},
        {"signal", number_or_null(result.signal)},
        {"oom", result.oom},
        {"restarts", std::uint64_t{result.restarts}},
        {"started_ns", std::uint64_t{result.started_ns}},
        {"finished_ns", std::uint64_t{result.finished_ns}},
    };
    write_from_reserve(pod_dir, [&] {
        const auto dir = open_status(pod_dir);
        file::write_volatile(dir.get(), file_name(model::pod_dir::app_result(name)), json::write(record) + '\n');
        file::write_volatile(dir.get(), file_name(model::pod_dir::app_status(name)),
                             fmt::format("{}", result.status()));
    });
}

void record_health(int pod_dir, const std::string& app, const Health& health, std::uint64_t checked_ns, int status,
                   std::string_view output)
{
    json::ObjectWriter record;
    record.set("status", word(health.status())).set("failing_streak", std::uint64_t{health.failing_streak()});
    if (checked_ns != 0)
        record.set("checked_ns", checked_ns).set("exit_code", std::int32_t{status}).set("output", output);
    const auto dir = open_status(pod_dir);
    file::write_volatile(dir.get(), file_name(model::health_record(model::AppName::parse(app))),
                         json::write(std::move(record).done()) + '\n');
}

void record_created(int pod_dir, const std::string& app)
{
    const auto dir = open_status(pod_dir);
    file::write_volatile(dir.get(), file_name(model::pod_dir::app_created(model::AppName::parse(app))), "");
}

void record_started(int pod_dir, const std::string& app)
{
    const auto name = model::AppName::parse(app);
    const auto dir = open_status(pod_dir);
    for (const auto& path : {model::pod_dir::app_status(name), model::pod_dir::app_result(name)})
        sys::unlink_if_exists(dir.get(), file_name(path));
    file::write_volatile(dir.get(), file_name(model::pod_dir::app_started(name)), "");
}

void record_exit(int pod_dir, int status, std::string_view reason)
{
    const json::Object record{
        {"status", std::int32_t{status}}, {"reason", reason}, {"finished_ns", std::int64_t{sys::realtime_nsec()}}};
    write_from_reserve(pod_dir,
                       [&] { file::write_volatile(pod_dir, model::pod_dir::exit_record, json::write(record) + '\n'); });
    sys::unlink_if_exists(pod_dir, model::pod_dir::reserve);
}

} // namespace rocket::stage1

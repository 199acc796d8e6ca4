// SPDX-License-Identifier: Apache-2.0
#include "stage0/update/host_unit.hh"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/sys/text.hh"

namespace rocket::update
{

namespace
{

using text::quoted;

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr const char* unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char* service_interface = "org.freedesktop.systemd1.Service";

// An error of a call, as it is freed.
class BusError
{
public:
    BusError() = default;
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
    ~BusError() { ::sd_bus_error_free(&error_); }
    sd_bus_error* get() noexcept { return &error_; }
    void check(int result, const std::string& doing) const
    {
        if (result >= 0)
            return;
        const bool unknown = ::sd_bus_error_has_name(&error_, "org.freedesktop.systemd1.NoSuchUnit") > 0;
        throw Error{unknown ? Error::Kind::not_found : Error::Kind::system,
                    error_.message != nullptr ? fmt::format("{}: {}", doing, text::printable(error_.message))
                                              : system_error(-result, doing).what()};
    }

private:
    sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

bus::Bus connect()
{
    return with_context("units are updated through the host's systemd", [] { return bus::open_system(); });
}

// Takes what has come, and waits for more until `end` if there was nothing.
void process(sd_bus* bus, std::chrono::steady_clock::time_point end)
{
    if (bus::check(::sd_bus_process(bus, nullptr), "reading from the system bus") > 0)
        return;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
    const auto usec = static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0));
    bus::check(::sd_bus_wait(bus, usec), "waiting for the system bus");
}

struct Job {
    std::string path;
    std::string result;
};

int on_job_removed(sd_bus_message* signal, void* data, sd_bus_error*)
{
    auto& job = *static_cast<Job*>(data);
    std::uint32_t id = 0;
    const char *path = nullptr, *unit = nullptr, *result = nullptr;
    if (::sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) > 0 && job.path == path)
        job.result = result;
    return 0;
}

} // namespace

HostUnit::HostUnit(std::string name) : name_{std::move(name)}, bus_{connect()}
{
    BusError error;
    sd_bus_message* raw = nullptr;
    const int called = ::sd_bus_call_method(bus_.get(), service, manager_path, manager_interface, "LoadUnit",
                                            error.get(), &raw, "s", name_.c_str());
    const bus::Message reply{raw};
    error.check(called, quoted(name_));
    const char* path = nullptr;
    bus::check(::sd_bus_message_read(reply.get(), "o", &path), "reading a D-Bus message");
    path_ = path;
    error.check(::sd_bus_call_method(bus_.get(), service, manager_path, manager_interface, "Subscribe", error.get(),
                                     nullptr, ""),
                "watching the host's systemd");
    const auto state = property(unit_interface, "LoadState");
    if (state == "not-found")
        fail(Error::Kind::not_found, "there is no unit {}", quoted(name_));
    if (state != "loaded")
        fail(Error::Kind::not_found, "unit {} cannot be started: it is {}", quoted(name_), state);
}

std::string HostUnit::property(const char* interface, const char* member) const
{
    BusError error;
    char* raw = nullptr;
    error.check(::sd_bus_get_property_string(bus_.get(), service, path_.c_str(), interface, member, error.get(), &raw),
                quoted(name_));
    const std::unique_ptr<char, decltype(&std::free)> text{raw, &std::free};
    return text::printable(text.get());
}

std::vector<std::string> HostUnit::command() const
{
    BusError error;
    sd_bus_message* raw = nullptr;
    const int called = ::sd_bus_get_property(bus_.get(), service, path_.c_str(), service_interface, "ExecStart",
                                             error.get(), &raw, "a(sasbttttuii)");
    const bus::Message reply{raw};
    error.check(called, quoted(name_));
    const auto check = [](int result) { return bus::check(result, "reading a D-Bus message"); };
    check(::sd_bus_message_enter_container(reply.get(), 'a', "(sasbttttuii)"));
    if (check(::sd_bus_message_enter_container(reply.get(), 'r', "sasbttttuii")) == 0)
        fail(Error::Kind::usage, "{} starts nothing", quoted(name_));
    check(::sd_bus_message_skip(reply.get(), "s"));
    char** words = nullptr;
    check(::sd_bus_message_read_strv(reply.get(), &words));
    std::vector<std::string> command;
    for (char** word = words; word != nullptr && *word != nullptr; ++word) {
        command.emplace_back(*word);
        std::free(*word);
    }
    std::free(words);
    return command;
}

pid_t HostUnit::main_pid() const
{
    BusError error;
    std::uint32_t pid = 0;
    error.check(::sd_bus_get_property_trivial(bus_.get(), service, path_.c_str(), service_interface, "MainPID",
                                              error.get(), 'u', &pid),
                quoted(name_));
    return static_cast<pid_t>(pid);
}

std::string HostUnit::source_path() const
{
    return property(unit_interface, "SourcePath");
}

std::string HostUnit::user() const
{
    return property(service_interface, "User");
}

std::vector<std::string> HostUnit::state_directories() const
{
    BusError error;
    char** words = nullptr;
    error.check(::sd_bus_get_property_strv(bus_.get(), service, path_.c_str(), service_interface, "StateDirectory",
                                           error.get(), &words),
                quoted(name_));
    std::vector<std::string> directories;
    for (char** word = words; word != nullptr && *word != nullptr; ++word) {
        directories.push_back(fmt::format("/var/lib/{}", *word));
        std::free(*word);
    }
    std::free(words);
    return directories;
}

bool HostUnit::is_active() const
{
    const auto state = property(unit_interface, "ActiveState");
    return state == "active" || state == "reloading";
}

bool HostUnit::is_stopped() const
{
    return property(unit_interface, "ActiveState") == "inactive";
}

void HostUnit::wait_for_job(std::chrono::nanoseconds patience) const
{
    sd_bus_slot* raw_slot = nullptr;
    const auto wake = [](sd_bus_message*, void*, sd_bus_error*) { return 0; };
    bus::check(::sd_bus_match_signal(bus_.get(), &raw_slot, service, manager_path, manager_interface, "JobRemoved",
                                     wake, nullptr),
               "watching the host's systemd");
    const bus::Slot slot{raw_slot};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (has_job() && std::chrono::steady_clock::now() < end)
        process(bus_.get(), end);
}

bool HostUnit::has_job() const
{
    BusError error;
    sd_bus_message* raw = nullptr;
    const int called =
        ::sd_bus_get_property(bus_.get(), service, path_.c_str(), unit_interface, "Job", error.get(), &raw, "(uo)");
    const bus::Message reply{raw};
    error.check(called, quoted(name_));
    std::uint32_t id = 0;
    bus::check(::sd_bus_message_read(reply.get(), "(uo)", &id, nullptr), "reading a D-Bus message");
    return id != 0;
}

// Nor does it count how often it was started: what is gone back to has to be started in any case.
void HostUnit::forget_failures() const
{
    BusError error;
    error.check(::sd_bus_call_method(bus_.get(), service, manager_path, manager_interface, "ResetFailedUnit",
                                     error.get(), nullptr, "s", name_.c_str()),
                quoted(name_));
}

std::string HostUnit::why_down() const
{
    const auto result = property(service_interface, "Result");
    const auto status = property(service_interface, "StatusText");
    return fmt::format("{}{}{}", result == "success" ? "it ended" : result, status.empty() ? "" : ": ", status);
}

// The result of the job, when there is one: "done", "failed", "timeout" ...; empty: it is not there yet.
std::string HostUnit::run_job(const char* member, std::chrono::nanoseconds patience)
{
    Job job;
    sd_bus_slot* raw_slot = nullptr;
    bus::check(::sd_bus_match_signal(bus_.get(), &raw_slot, service, manager_path, manager_interface, "JobRemoved",
                                     on_job_removed, &job),
               "watching the host's systemd");
    const bus::Slot slot{raw_slot};
    BusError error;
    sd_bus_message* raw = nullptr;
    const int called = ::sd_bus_call_method(bus_.get(), service, manager_path, manager_interface, member, error.get(),
                                            &raw, "ss", name_.c_str(), "replace");
    const bus::Message reply{raw};
    error.check(called, quoted(name_));
    const char* path = nullptr;
    bus::check(::sd_bus_message_read(reply.get(), "o", &path), "reading a D-Bus message");
    job.path = path; // signals are only looked at in process()
    const auto end = std::chrono::steady_clock::now() + patience;
    while (job.result.empty() && std::chrono::steady_clock::now() < end)
        process(bus_.get(), end);
    return job.result;
}

bool HostUnit::stays_active(std::chrono::nanoseconds settle)
{
    bool changed = true; // since it was looked at last
    sd_bus_slot* raw_slot = nullptr;
    const auto on_change = [](sd_bus_message*, void* data, sd_bus_error*) {
        *static_cast<bool*>(data) = true;
        return 0;
    };
    bus::check(::sd_bus_match_signal(bus_.get(), &raw_slot, service, path_.c_str(), "org.freedesktop.DBus.Properties",
                                     "PropertiesChanged", on_change, &changed),
               "watching the host's systemd");
    const bus::Slot slot{raw_slot};
    const auto end = std::chrono::steady_clock::now() + settle;
    const auto first = main_pid();
    do {
        if (std::exchange(changed, false) && (!is_active() || main_pid() != first))
            return false; // it may be up again already, by its Restart=
        process(bus_.get(), end);
    } while (std::chrono::steady_clock::now() < end);
    return is_active() && main_pid() == first;
}

std::optional<std::string> HostUnit::restart(std::chrono::nanoseconds patience, std::chrono::nanoseconds settle)
{
    forget_failures();
    const auto result = run_job("RestartUnit", patience);
    if (result.empty())
        return fmt::format("it did not come up in {} s", std::chrono::ceil<std::chrono::seconds>(patience).count());
    if (result != "done")
        return fmt::format("{} ({})", why_down(), result);
    if (!stays_active(settle))
        return why_down();
    return std::nullopt;
}

std::vector<std::string> running_instances(const std::string& unit_template)
{
    const auto bus = connect();
    const auto pattern = unit_template.substr(0, unit_template.find('@') + 1) + "*.service";
    BusError error;
    sd_bus_message* raw = nullptr;
    const int called = ::sd_bus_call_method(bus.get(), service, manager_path, manager_interface, "ListUnitsByPatterns",
                                            error.get(), &raw, "asas", 2, "active", "reloading", 1, pattern.c_str());
    const bus::Message reply{raw};
    error.check(called, quoted(unit_template));
    const auto check = [](int result) { return bus::check(result, "reading a D-Bus message"); };
    check(::sd_bus_message_enter_container(reply.get(), 'a', "(ssssssouso)"));
    std::vector<std::string> units;
    while (check(::sd_bus_message_enter_container(reply.get(), 'r', "ssssssouso")) > 0) {
        const char* name = nullptr;
        check(::sd_bus_message_read(reply.get(), "s", &name));
        units.emplace_back(name);
        check(::sd_bus_message_skip(reply.get(), "sssssouso"));
        check(::sd_bus_message_exit_container(reply.get()));
    }
    return units;
}

} // namespace rocket::update

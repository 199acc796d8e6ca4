// SPDX-License-Identifier: Apache-2.0
#include "stage0/users/machine.hh"

#include <poll.h>
#include <systemd/sd-login.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "common/bus/machines.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/pod/pod.hh"

namespace rocket::users
{

namespace
{

constexpr std::uint64_t timeout_usec = 5'000'000;
constexpr const char* machine_interface = "org.freedesktop.machine1.Machine";

// The unit of the system's manager; empty: none.
std::string unit_of(pid_t pid)
{
    char* unit = nullptr;
    if (::sd_pid_get_unit(pid, &unit) < 0)
        return {};
    const std::unique_ptr<char, decltype(&::free)> owned{unit, ::free};
    return unit;
}

// A session, and a user's manager with all that it runs, are more than a pod: ending the machine would end them.
std::string service_of(pid_t caller)
{
    uid_t owner = 0;
    auto unit = unit_of(caller);
    if (!unit.ends_with(".service") || ::sd_pid_get_owner_uid(caller, &owner) >= 0)
        fail(Error::Kind::usage, "process {} is not in a service of the system", caller);
    return unit;
}

void check_alive(const Leader& leader)
{
    pollfd ended{.fd = leader.pidfd, .events = POLLIN, .revents = 0};
    if (::poll(&ended, 1, 0) != 0)
        fail(Error::Kind::not_found, "process {} has ended", leader.pid);
}

bus::Message call(sd_bus* bus, const bus::Message& message)
{
    sd_bus_message* reply = nullptr;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const int result = ::sd_bus_call(bus, message.get(), timeout_usec, &error, &reply);
    const std::string why = error.message != nullptr ? text::printable(error.message) : "";
    ::sd_bus_error_free(&error);
    if (result < 0)
        throw why.empty() ? system_error(-result, "systemd-machined")
                          : Error{Error::Kind::system, "systemd-machined: " + why};
    return bus::Message{reply};
}

void unregister(sd_bus* bus, const std::string& name)
{
    const auto message = bus::machined_call(bus, "UnregisterMachine");
    bus::check(::sd_bus_message_append(message.get(), "s", name.c_str()), "writing a D-Bus message");
    call(bus, message);
}

struct Known {
    std::string name;
    pid_t leader = 0;
};

// The machine that the unit of that process has, nullopt: none.
std::optional<Known> machine_of_unit(sd_bus* bus, pid_t pid)
{
    const auto message = bus::machined_call(bus, "GetMachineByPID");
    bus::check(::sd_bus_message_append(message.get(), "u", static_cast<std::uint32_t>(pid)), "writing a D-Bus message");
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* raw = nullptr;
    const int result = ::sd_bus_call(bus, message.get(), timeout_usec, &error, &raw);
    const bus::Message reply{raw};
    const bool none = ::sd_bus_error_has_name(&error, "org.freedesktop.machine1.NoMachineForPID") > 0;
    const std::string why = error.message != nullptr ? text::printable(error.message) : "";
    ::sd_bus_error_free(&error);
    if (none)
        return std::nullopt;
    if (result < 0)
        throw why.empty() ? system_error(-result, "systemd-machined")
                          : Error{Error::Kind::system, "systemd-machined: " + why};
    const char* path = nullptr;
    bus::check(::sd_bus_message_read(reply.get(), "o", &path), "reading an answer of machined");
    constexpr const char* service = "org.freedesktop.machine1";
    std::uint32_t leader = 0;
    char* name = nullptr;
    bus::check(::sd_bus_get_property_trivial(bus, service, path, machine_interface, "Leader", nullptr, 'u', &leader),
               "asking for a machine's leader");
    bus::check(::sd_bus_get_property_string(bus, service, path, machine_interface, "Name", nullptr, &name),
               "asking for a machine's name");
    const std::unique_ptr<char, decltype(&::free)> owned{name, ::free};
    return Known{name, static_cast<pid_t>(leader)};
}

// A service that is started again is active meanwhile: machined keeps the machine of the pod before.
void make_room(sd_bus* bus, const std::string& unit, pid_t leader)
{
    const auto known = machine_of_unit(bus, leader);
    if (!known)
        return;
    if (unit_of(known->leader) == unit)
        fail(Error::Kind::usage, "service {} has a machine already, {}", text::quoted(unit), known->name);
    unregister(bus, known->name);
}

} // namespace

pid_t process_of(int pidfd)
{
    constexpr std::string_view key = "Pid:";
    for (const auto& line : text::split(file::read(AT_FDCWD, fmt::format("/proc/self/fdinfo/{}", pidfd)), '\n')) {
        if (!line.starts_with(key))
            continue;
        const auto pid = text::parse_decimal(text::trim(std::string_view{line}.substr(key.size())), INT32_MAX);
        if (!pid || *pid == 0) // -1: it has been reaped
            fail(Error::Kind::not_found, "the process has ended");
        return static_cast<pid_t>(*pid);
    }
    fail(Error::Kind::usage, "what was passed is not a process");
}

void register_machine(const model::Layout& layout, const model::PodId& id, pid_t caller, const Leader& leader)
{
    if (pod::Pod::open(layout, id))
        fail(Error::Kind::usage, "pod {} is another one, of the host's own", id.str());
    const auto unit = service_of(caller);
    if (unit_of(leader.pid) != unit)
        fail(Error::Kind::usage, "process {} is not in service {}", leader.pid, text::quoted(unit));
    check_alive(leader); // so it was that one we looked at
    const auto bus = bus::open_system();
    make_room(bus.get(), unit, leader.pid);
    const auto name = bus::machine_name(id);
    call(bus.get(), bus::new_machine_call(bus.get(), "RegisterMachineWithNetwork", id, leader.pid, {}));
    try {
        check_alive(leader); // machined knows numbers only
    } catch (const Error&) {
        unregister(bus.get(), name);
        throw;
    }
    log::print("service {} has machine {}", unit, name);
}

} // namespace rocket::users

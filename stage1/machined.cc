// SPDX-License-Identifier: Apache-2.0
#include "stage1/machined.hh"

#include <systemd/sd-login.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "common/bus/machines.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t timeout_usec = 5'000'000;
constexpr const char* reading = "reading an answer of machined";

void check(int result)
{
    bus::check(result, "writing a D-Bus message");
}

std::unique_ptr<char, decltype(&::free)> owned_text(char* text)
{
    return {text, ::free};
}

} // namespace

Machined::Machined(const model::PodId& id) : id_{id}, bus_{bus::open_system()} {}

void Machined::create_scope(pid_t leader)
{
    // The network comes later; machined looks inside itself.
    const auto message = bus::new_machine_call(bus_.get(), "CreateMachineWithNetwork", id_, leader, {});
    // `machinectl terminate` stops the scope; PID 1 would take its SIGTERM as "start over".
    check(::sd_bus_message_append(message.get(), "a(sv)", 3, "Delegate", "b", 1, "KillSignal", "i", SIGKILL,
                                  "Description", "s", ("Pod " + id_.str()).c_str()));
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const int result = ::sd_bus_call(bus_.get(), message.get(), timeout_usec, &error, nullptr);
    const std::string why = error.message != nullptr ? text::printable(error.message) : "";
    ::sd_bus_error_free(&error);
    if (result < 0)
        throw why.empty() ? system_error(-result, "systemd-machined")
                          : Error{Error::Kind::system, "systemd-machined: " + why};
}

template <void (Machined::*answered)(sd_bus_message*)>
void Machined::call(const bus::Message& message)
{
    const auto on_answer = [](sd_bus_message* reply, void* self, sd_bus_error*) {
        auto& machined = *static_cast<Machined*>(self);
        try {
            (machined.*answered)(reply);
        } catch (const Error& error) { // no way through the library
            machined.failed_(error.what());
        }
        return 0;
    };
    bus::check(::sd_bus_call_async(bus_.get(), nullptr, message.get(), on_answer, this, timeout_usec),
               "calling machined");
}

void Machined::register_in_place(pid_t leader, const std::vector<int>& interfaces, EventLoop& loop, Failed failed)
{
    failed_ = std::move(failed);
    bus::check(::sd_bus_attach_event(bus_.get(), loop.get(), SD_EVENT_PRIORITY_IDLE), "watching the system bus");
    registration_ = bus::new_machine_call(bus_.get(), "RegisterMachineWithNetwork", id_, leader, interfaces);
    char* name = nullptr;
    const int found = ::sd_pid_get_machine_name(leader, &name); // of the unit that it is in: no call
    const auto owned = owned_text(name);
    if (found < 0)
        return call<&Machined::on_registered>(registration_);
    before_ = owned.get();
    ask_for_its_leader();
}

void Machined::ask_for_its_leader()
{
    char* encoded = nullptr;
    bus::check(::sd_bus_path_encode("/org/freedesktop/machine1/machine", before_.c_str(), &encoded),
               "writing a D-Bus message");
    const auto path = owned_text(encoded);
    const auto question =
        bus::new_call(bus_.get(), "org.freedesktop.machine1", path.get(), "org.freedesktop.DBus.Properties", "Get");
    check(::sd_bus_message_append(question.get(), "ss", "org.freedesktop.machine1.Machine", "Leader"));
    call<&Machined::on_its_leader>(question);
}

void Machined::on_its_leader(sd_bus_message* reply)
{
    std::uint32_t leader = 0;
    const bool is_known = ::sd_bus_message_is_method_error(reply, nullptr) <= 0;
    if (is_known)
        bus::check(::sd_bus_message_read(reply, "v", "u", &leader), reading);
    if (is_known && ::kill(static_cast<pid_t>(leader), 0) != 0 && errno == ESRCH) {
        const auto message = bus::machined_call(bus_.get(), "UnregisterMachine");
        check(::sd_bus_message_append(message.get(), "s", before_.c_str()));
        bus::check(::sd_bus_send(bus_.get(), message.get(), nullptr), "calling machined"); // it keeps to the order
    }
    call<&Machined::on_registered>(registration_);
}

void Machined::on_registered(sd_bus_message* reply)
{
    if (::sd_bus_message_is_method_error(reply, nullptr) > 0)
        failed_(bus::error_text(reply));
    registration_.reset();
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/machined.hh"

#include <csignal>
#include <cstdint>

#include "common/bus/machines.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t timeout_usec = 5'000'000;

void check(int result)
{
    bus::check(result, "writing a D-Bus message");
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

void Machined::register_in_place(pid_t leader, const std::vector<int>& interfaces, EventLoop& loop, Failed failed)
{
    failed_ = std::move(failed);
    bus::check(::sd_bus_attach_event(bus_.get(), loop.get(), SD_EVENT_PRIORITY_IDLE), "watching the system bus");
    const auto message = bus::new_machine_call(bus_.get(), "RegisterMachineWithNetwork", id_, leader, interfaces);
    const auto answered = [](sd_bus_message* reply, void* self, sd_bus_error*) {
        if (::sd_bus_message_is_method_error(reply, nullptr) > 0)
            static_cast<Machined*>(self)->failed_(bus::error_text(reply));
        return 0;
    };
    bus::check(::sd_bus_call_async(bus_.get(), nullptr, message.get(), answered, this, timeout_usec),
               "calling machined");
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/machined.hh"

#include <csignal>
#include <cstdint>

#include "common/sys/text.hh"
#include "stage1/placement.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* service = "org.freedesktop.machine1";
constexpr std::uint64_t timeout_usec = 5'000'000;

void check(int result)
{
    bus::check(result, "writing a D-Bus message");
}

void append_id(sd_bus_message* to, const model::PodId& id)
{
    std::uint8_t bytes[16];
    std::size_t index = 0;
    unsigned digit = 0;
    for (const char c : id.str()) {
        if (c == '-')
            continue;
        digit = digit << 4U | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
        if (index % 2 == 1)
            bytes[index / 2] = static_cast<std::uint8_t>(digit);
        ++index;
    }
    check(::sd_bus_message_append_array(to, 'y', bytes, sizeof bytes));
}

} // namespace

Machined::Machined(const model::PodId& id) : id_{id}, bus_{bus::open_system()} {}

// What CreateMachineWithNetwork and RegisterMachineWithNetwork have in common.
bus::Message Machined::call(const char* member, pid_t leader, const std::vector<int>& interfaces)
{
    auto message =
        bus::new_call(bus_.get(), service, "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager", member);
    check(::sd_bus_message_append(message.get(), "s", machine_name(id_).c_str()));
    append_id(message.get(), id_);
    check(::sd_bus_message_append(message.get(), "ssus", "rkt", "container", static_cast<std::uint32_t>(leader), ""));
    check(::sd_bus_message_append_array(message.get(), 'i', interfaces.data(), interfaces.size() * sizeof(int)));
    return message;
}

void Machined::create_scope(pid_t leader)
{
    auto message =
        call("CreateMachineWithNetwork", leader, {}); // the network comes later; machined looks inside itself
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
    const auto message = call("RegisterMachineWithNetwork", leader, interfaces);
    const auto answered = [](sd_bus_message* reply, void* self, sd_bus_error*) {
        if (::sd_bus_message_is_method_error(reply, nullptr) > 0)
            static_cast<Machined*>(self)->failed_(bus::error_text(reply));
        return 0;
    };
    bus::check(::sd_bus_call_async(bus_.get(), nullptr, message.get(), answered, this, timeout_usec),
               "calling machined");
}

} // namespace rocket::stage1

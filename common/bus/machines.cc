// SPDX-License-Identifier: Apache-2.0
#include "common/bus/machines.hh"

#include <cstdint>

namespace rocket::bus
{

namespace
{

void check_written(int result)
{
    check(result, "writing a D-Bus message");
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
    check_written(::sd_bus_message_append_array(to, 'y', bytes, sizeof bytes));
}

} // namespace

std::string machine_name(const model::PodId& id)
{
    return "rkt-" + id.str();
}

Message machined_call(sd_bus* bus, const char* member)
{
    return new_call(bus, "org.freedesktop.machine1", "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager",
                    member);
}

Message new_machine_call(sd_bus* bus, const char* member, const model::PodId& id, pid_t leader,
                         const std::vector<int>& interfaces)
{
    auto message = machined_call(bus, member);
    check_written(::sd_bus_message_append(message.get(), "s", machine_name(id).c_str()));
    append_id(message.get(), id);
    check_written(
        ::sd_bus_message_append(message.get(), "ssus", "rkt", "container", static_cast<std::uint32_t>(leader), ""));
    check_written(
        ::sd_bus_message_append_array(message.get(), 'i', interfaces.data(), interfaces.size() * sizeof(int)));
    return message;
}

} // namespace rocket::bus

// SPDX-License-Identifier: Apache-2.0
#include "common/bus/bus.hh"

#include "common/sys/text.hh"

namespace rocket::bus
{

int check(int result, std::string_view doing)
{
    if (result < 0)
        throw system_error(-result, std::string{doing});
    return result;
}

Bus attach_peer(Fd socket)
{
    sd_bus* raw = nullptr;
    check(::sd_bus_new(&raw), "allocating a bus connection");
    Bus bus{raw};
    check(::sd_bus_set_fd(raw, socket.get(), socket.get()), "setting the socket of a bus connection");
    [[maybe_unused]] const int owned_by_bus = socket.release();
    check(::sd_bus_set_trusted(raw, 1), "setting up a bus connection"); // who we talk to was settled by how we got here
    check(::sd_bus_negotiate_fds(raw, 1), "setting up a bus connection");
    check(::sd_bus_start(raw), "starting a bus connection");
    return bus;
}

Bus open_system()
{
    sd_bus* raw = nullptr;
    check(::sd_bus_open_system(&raw), "connecting to the system bus");
    return Bus{raw};
}

Message new_call(sd_bus* bus, const char* destination, const char* path, const char* interface, const char* member)
{
    sd_bus_message* raw = nullptr;
    check(::sd_bus_message_new_method_call(bus, &raw, destination, path, interface, member), member);
    return Message{raw};
}

std::string error_text(sd_bus_message* reply)
{
    const sd_bus_error* error = ::sd_bus_message_get_error(reply);
    if (error == nullptr)
        return {};
    const std::string name = error->name != nullptr ? error->name : "unknown error";
    return error->message != nullptr ? fmt::format("{} ({})", text::printable(error->message), text::printable(name))
                                     : text::printable(name);
}

} // namespace rocket::bus

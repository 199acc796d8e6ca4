// SPDX-License-Identifier: Apache-2.0
// sd-bus in our terms: handles that release themselves, failures as Error. Used for the host's system bus and for the
// private socket of a pod's systemd, where there is no bus daemon in between.
#pragma once

#include <systemd/sd-bus.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"

namespace rocket::bus
{

// Throws for a negative result of an sd-bus function: "DOING: No such file or directory".
int check(int result, std::string_view doing);

struct Release {
    void operator()(sd_bus* bus) const noexcept { ::sd_bus_close_unref(bus); } // unsent messages are dropped
    void operator()(sd_bus_message* message) const noexcept { ::sd_bus_message_unref(message); }
    void operator()(sd_bus_slot* slot) const noexcept { ::sd_bus_slot_unref(slot); }
};
using Bus = std::unique_ptr<sd_bus, Release>;
using Message = std::unique_ptr<sd_bus_message, Release>;
using Slot = std::unique_ptr<sd_bus_slot, Release>;

// A connected stream socket with the service itself at the other end: no daemon, no Hello, no names.
Bus attach_peer(Fd socket);
// The host's system bus. Returns before the connection is made; calls queue up until then.
Bus open_system();

Message new_call(sd_bus* bus, const char* destination, const char* path, const char* interface, const char* member);
// What an error reply says: "Unit app-x.service not found. (org.freedesktop.systemd1.NoSuchUnit)"
std::string error_text(sd_bus_message* reply);

} // namespace rocket::bus

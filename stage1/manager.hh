// SPDX-License-Identifier: Apache-2.0
// The pod's systemd, seen over its private socket: units are started and stopped by calls that are sent without waiting
// for the answers of earlier ones, and every change of a unit is reported. What PID 1 says is not trusted further than
// this: it can only say something about units, and nothing it says makes us touch the host.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/bus/bus.hh"
#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"
#include "stage1/unit_properties.hh"

namespace rocket::stage1
{

// What one PropertiesChanged signal says; what it does not mention is empty.
struct UnitChange {
    std::optional<std::string> active_state; // "active", "inactive", "failed", "activating", "deactivating" ...
    std::optional<std::string> sub_state;    // "running", "stop-sigterm", "dead" ...
    std::optional<std::string> result;       // "success", "exit-code", "signal", "oom-kill", "exec-condition" ...
    std::optional<std::uint32_t> main_pid;   // in the pod's PID namespace; 0: none
    std::optional<std::uint32_t> control_pid;
    std::optional<std::int32_t> exec_code;   // of the main process: CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: not ended
    std::optional<std::int32_t> exec_status; // exit code or signal
    std::optional<std::uint64_t> started_usec;
    std::optional<std::uint64_t> finished_usec; // CLOCK_REALTIME; 0: not yet
    std::optional<std::uint32_t> restarts;      // by PID 1 itself (Restart=)
    bool has_job = false;                       // PID 1 is about to start or stop it
    bool is_answer = false;                     // to a question: how things are now, not how they went
};

// Descriptors of an app; -1: not given. They are duplicated when the call is made.
struct UnitStdio {
    int input = -1;
    int output = -1;
    int error = -1;
};

class Manager
{
public:
    struct Events {
        std::function<void(const std::string& unit, const UnitChange& change)> changed;
        std::function<void()> lost; // PID 1 has closed the connection
    };
    // nullptr: the call worked; else what PID 1 said against it.
    using Answer = std::function<void(const std::string* error)>;

    Manager(EventLoop& loop, Fd socket, Events events);
    ~Manager();
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    void start_transient(const std::string& unit, std::span<const UnitProperty> properties, const UnitStdio& stdio,
                         Answer answer);
    void start(const std::string& unit, Answer answer);
    void restart(const std::string& unit, Answer answer); // stopped in order, and started
    void stop(const std::string& unit, Answer answer);    // orderly, with the unit's own time-outs
    // Has the state of the unit reported as a change, or as "inactive" if PID 1 does not know it (any more).
    void refresh(const std::string& unit);
    // The same, but of its state only: what is known of its last process stays, for a unit may be forgotten with it.
    void ask_state(const std::string& unit);

private:
    struct Pending;
    void ask(const std::string& unit, const char* interface);
    void call(bus::Message message, std::function<void(sd_bus_message* reply)> done);
    void queue_job(const char* method, const std::string& unit, const char* mode, Answer answer);
    void call_for(bus::Message message, Answer answer);
    void on_change(sd_bus_message* signal);
    static int on_answer(sd_bus_message* reply, void* pending, sd_bus_error*);
    static int on_signal(sd_bus_message* signal, void* self, sd_bus_error*);
    static int on_disconnect(sd_bus_message* signal, void* self, sd_bus_error*);

    EventLoop& loop_;
    Events events_;
    bus::Bus bus_;
    bus::Slot changes_;
    bus::Slot disconnect_;
};

} // namespace rocket::stage1

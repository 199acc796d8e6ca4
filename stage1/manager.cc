// SPDX-License-Identifier: Apache-2.0
#include "stage1/manager.hh"

#include <memory>
#include <utility>

namespace rocket::stage1
{

namespace
{

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr const char* unit_prefix = "/org/freedesktop/systemd1/unit";
constexpr std::uint64_t no_timeout = UINT64_MAX; // an app may take its time; the supervisor bounds what must be

void check(int result)
{
    bus::check(result, "writing a D-Bus message");
}

// One overload per alternative of PropertyValue: the content of the variant in (sv).
void append(sd_bus_message* to, bool value)
{
    check(::sd_bus_message_append(to, "b", value ? 1 : 0));
}
void append(sd_bus_message* to, std::int32_t value)
{
    check(::sd_bus_message_append(to, "i", value));
}
void append(sd_bus_message* to, std::uint32_t value)
{
    check(::sd_bus_message_append(to, "u", value));
}
void append(sd_bus_message* to, std::uint64_t value)
{
    check(::sd_bus_message_append(to, "t", value));
}
void append(sd_bus_message* to, const std::string& value)
{
    check(::sd_bus_message_append(to, "s", value.c_str()));
}

void append(sd_bus_message* to, const std::vector<std::string>& values)
{
    check(::sd_bus_message_open_container(to, 'a', "s"));
    for (const auto& value : values)
        append(to, value);
    check(::sd_bus_message_close_container(to));
}

void append(sd_bus_message* to, const NameFilter& filter)
{
    check(::sd_bus_message_open_container(to, 'r', "bas"));
    append(to, filter.allow);
    append(to, filter.names);
    check(::sd_bus_message_close_container(to));
}

void append(sd_bus_message* to, const std::vector<ExecLine>& lines)
{
    check(::sd_bus_message_open_container(to, 'a', "(sasas)"));
    for (const auto& line : lines) {
        check(::sd_bus_message_open_container(to, 'r', "sasas"));
        append(to, line.path);
        append(to, line.argv);
        append(to, line.flags);
        check(::sd_bus_message_close_container(to));
    }
    check(::sd_bus_message_close_container(to));
}

void append(sd_bus_message* to, const std::vector<StringPair>& pairs)
{
    check(::sd_bus_message_open_container(to, 'a', "(ss)"));
    for (const auto& [first, second] : pairs)
        check(::sd_bus_message_append(to, "(ss)", first.c_str(), second.c_str()));
    check(::sd_bus_message_close_container(to));
}

void append(sd_bus_message* to, const std::vector<NumberPair>& pairs)
{
    check(::sd_bus_message_open_container(to, 'a', "(st)"));
    for (const auto& [name, number] : pairs)
        check(::sd_bus_message_append(to, "(st)", name.c_str(), number));
    check(::sd_bus_message_close_container(to));
}

void append(sd_bus_message* to, const std::vector<BindMount>& mounts)
{
    check(::sd_bus_message_open_container(to, 'a', "(ssbt)"));
    for (const auto& mount : mounts)
        check(::sd_bus_message_append(to, "(ssbt)", mount.source.c_str(), mount.target.c_str(),
                                      static_cast<int>(mount.ignore_missing), mount.flags));
    check(::sd_bus_message_close_container(to));
}

void append_property(sd_bus_message* to, const UnitProperty& property)
{
    const std::string type{signature(property.value)};
    check(::sd_bus_message_open_container(to, 'r', "sv"));
    append(to, property.name);
    check(::sd_bus_message_open_container(to, 'v', type.c_str()));
    std::visit([&](const auto& value) { append(to, value); }, property.value);
    check(::sd_bus_message_close_container(to));
    check(::sd_bus_message_close_container(to));
}

void append_descriptor(sd_bus_message* to, const char* property, int fd)
{
    if (fd >= 0)
        check(::sd_bus_message_append(to, "(sv)", property, "h", fd));
}

// The value of the variant at the read position, if it is of the wanted type.
template <typename Raw, typename Value>
int read(sd_bus_message* from, const char* type, std::optional<Value>& into)
{
    Raw raw{};
    const int result = ::sd_bus_message_read(from, "v", type, &raw);
    if (result > 0)
        into = Value{raw};
    return result;
}

int read_job(sd_bus_message* from, bool& has_job)
{
    std::uint32_t id = 0; // 0: none
    const char* path = nullptr;
    const int result = ::sd_bus_message_read(from, "v", "(uo)", &id, &path);
    has_job = result > 0 && id != 0;
    return result;
}

int read_property(sd_bus_message* from, std::string_view name, UnitChange& change)
{
    if (name == "ActiveState")
        return read<const char*>(from, "s", change.active_state);
    if (name == "SubState")
        return read<const char*>(from, "s", change.sub_state);
    if (name == "Result")
        return read<const char*>(from, "s", change.result);
    if (name == "MainPID")
        return read<std::uint32_t>(from, "u", change.main_pid);
    if (name == "ControlPID")
        return read<std::uint32_t>(from, "u", change.control_pid);
    if (name == "ExecMainCode")
        return read<std::int32_t>(from, "i", change.exec_code);
    if (name == "ExecMainStatus")
        return read<std::int32_t>(from, "i", change.exec_status);
    if (name == "ExecMainStartTimestamp")
        return read<std::uint64_t>(from, "t", change.started_usec);
    if (name == "ExecMainExitTimestamp")
        return read<std::uint64_t>(from, "t", change.finished_usec);
    if (name == "NRestarts")
        return read<std::uint32_t>(from, "u", change.restarts);
    if (name == "Job")
        return read_job(from, change.has_job);
    return ::sd_bus_message_skip(from, "v");
}

// Reads a{sv}. Whatever is not as systemd writes it ends the reading: what was understood before counts.
void read_properties(sd_bus_message* from, UnitChange& change)
{
    if (::sd_bus_message_enter_container(from, 'a', "{sv}") < 0)
        return;
    while (::sd_bus_message_enter_container(from, 'e', "sv") > 0) {
        const char* name = nullptr;
        if (::sd_bus_message_read(from, "s", &name) < 0 || read_property(from, name, change) < 0 ||
            ::sd_bus_message_exit_container(from) < 0)
            return;
    }
}

} // namespace

struct Manager::Pending {
    EventLoop& loop;
    std::function<void(sd_bus_message* reply)> done;
};

Manager::Manager(EventLoop& loop, Fd socket, Events events)
    : loop_{loop}, events_{std::move(events)}, bus_{bus::attach_peer(std::move(socket))}
{
    sd_bus_slot* slot = nullptr;
    bus::check(::sd_bus_match_signal(bus_.get(), &slot, nullptr, nullptr, "org.freedesktop.DBus.Properties",
                                     "PropertiesChanged", on_signal, this),
               "watching units");
    changes_.reset(slot);
    bus::check(::sd_bus_match_signal(bus_.get(), &slot, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                     "org.freedesktop.DBus.Local", "Disconnected", on_disconnect, this),
               "watching the connection to PID 1");
    disconnect_.reset(slot);
    bus::check(::sd_bus_attach_event(bus_.get(), loop.get(), SD_EVENT_PRIORITY_NORMAL),
               "watching the connection to PID 1");
}

Manager::~Manager() = default;

void Manager::call(bus::Message message, std::function<void(sd_bus_message* reply)> done)
{
    auto pending = std::make_unique<Pending>(Pending{loop_, std::move(done)});
    sd_bus_slot* slot = nullptr;
    const int called = ::sd_bus_call_async(bus_.get(), &slot, message.get(), on_answer, pending.get(), no_timeout);
    if (called == -ECONNRESET || called == -ENOTCONN)
        return; // PID 1 ends, or starts over: that is told by `lost`, as to calls that are not answered any more
    bus::check(called, "calling PID 1");
    // The slot floats: it lives until the answer, or the end of the connection, and takes `pending` with it.
    ::sd_bus_slot_set_destroy_callback(slot, [](void* data) { delete static_cast<Pending*>(data); });
    ::sd_bus_slot_set_floating(slot, 1);
    ::sd_bus_slot_unref(slot);
    [[maybe_unused]] const auto* owned_by_slot = pending.release();
}

void Manager::call_for(bus::Message message, Answer answer)
{
    call(std::move(message), [answer = std::move(answer)](sd_bus_message* reply) {
        if (!answer)
            return;
        const auto error = bus::error_text(reply);
        answer(error.empty() ? nullptr : &error);
    });
}

void Manager::start_transient(const std::string& unit, std::span<const UnitProperty> properties, const UnitStdio& stdio,
                              Answer answer)
{
    auto message = bus::new_call(bus_.get(), service, manager_path, manager_interface, "StartTransientUnit");
    auto* const to = message.get();
    check(::sd_bus_message_append(to, "ss", unit.c_str(), "fail"));
    check(::sd_bus_message_open_container(to, 'a', "(sv)"));
    for (const auto& property : properties)
        append_property(to, property);
    append_descriptor(to, "StandardInputFileDescriptor", stdio.input);
    append_descriptor(to, "StandardOutputFileDescriptor", stdio.output);
    append_descriptor(to, "StandardErrorFileDescriptor", stdio.error);
    check(::sd_bus_message_close_container(to));
    check(::sd_bus_message_append(to, "a(sa(sv))", 0)); // no other units
    call_for(std::move(message), std::move(answer));
}

void Manager::start(const std::string& unit, Answer answer)
{
    queue_job("StartUnit", unit, "fail", std::move(answer));
}

void Manager::restart(const std::string& unit, Answer answer)
{
    queue_job("RestartUnit", unit, "replace", std::move(answer));
}

void Manager::stop(const std::string& unit, Answer answer)
{
    queue_job("StopUnit", unit, "replace", std::move(answer));
}

void Manager::queue_job(const char* method, const std::string& unit, const char* mode, Answer answer)
{
    auto message = bus::new_call(bus_.get(), service, manager_path, manager_interface, method);
    check(::sd_bus_message_append(message.get(), "ss", unit.c_str(), mode));
    call_for(std::move(message), std::move(answer));
}

// The service's own properties first, as in signals: the unit's state concludes from them.
void Manager::refresh(const std::string& unit)
{
    ask(unit, "org.freedesktop.systemd1.Service");
    ask_state(unit);
}

void Manager::ask_state(const std::string& unit)
{
    ask(unit, "org.freedesktop.systemd1.Unit");
}

void Manager::ask(const std::string& unit, const char* interface)
{
    char* raw = nullptr;
    check(::sd_bus_path_encode(unit_prefix, unit.c_str(), &raw));
    const std::unique_ptr<char, decltype(&::free)> path{raw, ::free};
    auto message = bus::new_call(bus_.get(), service, path.get(), "org.freedesktop.DBus.Properties", "GetAll");
    check(::sd_bus_message_append(message.get(), "s", interface));
    call(std::move(message), [this, unit](sd_bus_message* reply) {
        UnitChange change{.is_answer = true};
        if (::sd_bus_message_is_method_error(reply, nullptr) > 0)
            change.active_state = "inactive";
        else
            read_properties(reply, change);
        events_.changed(unit, change);
    });
}

void Manager::on_change(sd_bus_message* signal)
{
    char* name = nullptr;
    if (::sd_bus_path_decode(::sd_bus_message_get_path(signal), unit_prefix, &name) <= 0)
        return;
    const std::unique_ptr<char, decltype(&::free)> owned{name, ::free};
    UnitChange change;
    if (::sd_bus_message_skip(signal, "s") >= 0) // the interface
        read_properties(signal, change);
    events_.changed(name, change);
}

int Manager::on_answer(sd_bus_message* reply, void* data, sd_bus_error*)
{
    if (::sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) > 0)
        return 0; // the connection ended: that is told by `lost`
    const auto& pending = *static_cast<Pending*>(data);
    pending.loop.guarded([&] { pending.done(reply); });
    return 0;
}

int Manager::on_signal(sd_bus_message* signal, void* self, sd_bus_error*)
{
    auto& manager = *static_cast<Manager*>(self);
    manager.loop_.guarded([&] { manager.on_change(signal); });
    return 0;
}

int Manager::on_disconnect(sd_bus_message*, void* self, sd_bus_error*)
{
    auto& manager = *static_cast<Manager*>(self);
    manager.loop_.guarded(manager.events_.lost);
    return 0;
}

} // namespace rocket::stage1

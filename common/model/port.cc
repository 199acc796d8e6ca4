// SPDX-License-Identifier: Apache-2.0
#include "common/model/port.hh"

#include <arpa/inet.h>

#include "common/model/object_string.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::uint32_t last_port = 65535;

void check_range(std::uint32_t port, std::uint32_t count)
{
    if (port + count - 1 > last_port)
        fail(Error::Kind::usage, "ports end at {}: {} beginning with {} are too many", last_port, count, port);
}

bool is_ipv4(const std::string& text)
{
    in_addr address{};
    return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

std::uint16_t port_from(const json::Cursor& cursor)
{
    return static_cast<std::uint16_t>(cursor.integer(1, last_port));
}

} // namespace

Port Port::parse(std::string_view text)
{
    auto object = ObjectString::with_name(text, "port");
    const auto name = PortName::parse(object.name());
    auto protocol = object.take("protocol").value_or("");
    const auto number = object.take_number("port", 1, last_port);
    const auto count = object.take_number("count", 0, last_port).value_or(1);
    const bool activated = object.take_bool("socketActivated").value_or(false);
    object.done();
    if (protocol.empty() || !number)
        fail(Error::Kind::usage, "a port needs both: protocol=NAME and port=NUMBER");
    Port port{.name = name,
              .protocol = std::move(protocol),
              .port = static_cast<std::uint16_t>(*number),
              .count = count == 0 ? 1 : count,
              .socket_activated = activated};
    check_range(port.port, port.count);
    return port;
}

Port Port::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    Port port{.name = fields.required_text("name").as<PortName>(),
              .protocol = fields.required_text("protocol").text(),
              .port = port_from(fields.required("port"))};
    if (const auto count = fields.optional("count"))
        port.count = static_cast<std::uint32_t>(count->integer(0, last_port));
    if (port.count == 0)
        port.count = 1; // APP-23
    port.socket_activated = fields.boolean_or("socketActivated", false);
    port.unknown = fields.rest();
    cursor.at_place([&] { check_range(port.port, port.count); });
    return port;
}

std::string Port::str() const
{
    return fmt::format("{},protocol={},port={},count={},socketActivated={}", name.str(), protocol, port, count,
                       socket_activated);
}

json::Value Port::json() const
{
    return json::ObjectWriter{unknown}
        .set("name", name.str())
        .set("protocol", protocol)
        .set("port", std::uint32_t{port})
        .set("count", count)
        .set("socketActivated", socket_activated)
        .done();
}

ExposedPort ExposedPort::parse(std::string_view text)
{
    const auto refuse = [](std::string_view part, std::string_view why) {
        fail(Error::Kind::usage, "{} is not {}", text::quoted(part), why);
    };
    const auto parts = text::split(text, ':');
    if (parts.size() < 2 || parts.size() > 3)
        refuse(text, "in name:[ip:]port format");
    const auto name = [&] {
        try {
            return PortName::parse(parts.front());
        } catch (const Error&) {
            throw Error{Error::Kind::usage, text::quoted(parts.front()) + " is not a valid port name"};
        }
    }();
    ExposedPort exposed{.name = name, .host_port = 0};
    if (parts.size() == 3) {
        if (!is_ipv4(parts[1]))
            refuse(parts[1], "a valid IP");
        exposed.host_ip = parts[1];
    }
    const auto number = text::parse_decimal(parts.back(), last_port);
    if (!number || *number == 0)
        refuse(parts.back(), "a valid port number");
    exposed.host_port = static_cast<std::uint16_t>(number.value_or(0));
    return exposed;
}

ExposedPort ExposedPort::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    ExposedPort exposed{.name = fields.required_text("name").as<PortName>(),
                        .host_port = port_from(fields.required("hostPort"))};
    if (const auto ip = fields.optional("hostIP")) {
        exposed.host_ip = ip->text();
        if (!exposed.host_ip.empty() && !is_ipv4(exposed.host_ip))
            ip->fail(fmt::format(" must be an IPv4 address, not {}", text::quoted(exposed.host_ip)));
    }
    if (const auto port = fields.optional("podPort")) {
        exposed.pod_port = Port::from(*port);
        cursor.at_place([&] { check_range(exposed.host_port, exposed.pod_port->count); });
    }
    exposed.unknown = fields.rest();
    return exposed;
}

json::Value ExposedPort::json() const
{
    json::ObjectWriter writer{unknown};
    writer.set("name", name.str()).set("hostPort", std::uint32_t{host_port}).set_text("hostIP", host_ip);
    if (pod_port)
        writer.set("podPort", pod_port->json());
    return writer.done();
}

} // namespace rocket::model

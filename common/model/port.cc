// SPDX-License-Identifier: Apache-2.0
#include "common/model/port.hh"

#include "common/model/ip_address.hh"
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

std::uint16_t port_from(const json::Cursor& cursor)
{
    return static_cast<std::uint16_t>(cursor.integer(1, last_port));
}

// "192.0.2.1" or "[2001:db8::1]"
std::string host_address(std::string_view text)
{
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const auto address = IpAddress::parse(std::string{bracketed ? text.substr(1, text.size() - 2) : text});
    if (!address || address->is_v6() != bracketed)
        throw Error{Error::Kind::usage, fmt::format("{} is not a valid IP", text::quoted(text)),
                    "write IPv6 addresses in brackets: [2001:db8::1]"};
    return address->str();
}

PortName port_name(std::string_view text)
{
    try {
        return PortName::parse(text);
    } catch (const Error&) {
        throw Error{Error::Kind::usage, text::quoted(text) + " is not a valid port name"};
    }
}

std::uint16_t port_number(std::string_view text)
{
    const auto number = text::parse_decimal(text, last_port);
    if (!number || *number == 0)
        fail(Error::Kind::usage, "{} is not a valid port number", text::quoted(text));
    return static_cast<std::uint16_t>(*number);
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
    const auto first = text.find(':'), last = text.rfind(':');
    const auto middle = first == last ? std::string_view{} : text.substr(first + 1, last - first - 1);
    if (first == std::string_view::npos || (middle.find(':') != std::string_view::npos && middle.front() != '['))
        fail(Error::Kind::usage, "{} is not in name:[ip:]port format", text::quoted(text));
    ExposedPort exposed{.name = port_name(text.substr(0, first)), .host_port = 0};
    if (last != first)
        exposed.host_ip = host_address(middle);
    exposed.host_port = port_number(text.substr(last + 1));
    return exposed;
}

ExposedPort ExposedPort::parse_direct(std::string_view text)
{
    const auto refuse = [&] {
        fail(Error::Kind::usage, "{} is not in name:proto:podport:ip:hostport format", text::quoted(text));
    };
    std::string_view rest = text, words[3]; // name, protocol, port of the pod
    for (auto& word : words) {
        const auto colon = rest.find(':');
        if (colon == std::string_view::npos)
            refuse();
        word = rest.substr(0, colon);
        rest.remove_prefix(colon + 1);
    }
    const auto last = rest.rfind(':');
    if (last == std::string_view::npos)
        refuse();
    if (words[1] != "tcp" && words[1] != "udp")
        fail(Error::Kind::usage, "{} is not a valid protocol: tcp or udp", text::quoted(words[1]));
    const auto name = port_name(words[0]);
    ExposedPort exposed{.name = name, .host_port = port_number(rest.substr(last + 1))};
    if (last > 0) // nothing: all addresses
        exposed.host_ip = host_address(rest.substr(0, last));
    exposed.pod_port = Port{.name = name, .protocol = std::string{words[1]}, .port = port_number(words[2])};
    return exposed;
}

ExposedPort ExposedPort::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    ExposedPort exposed{.name = fields.required_text("name").as<PortName>(),
                        .host_port = port_from(fields.required("hostPort"))};
    if (const auto ip = fields.optional("hostIP")) {
        exposed.host_ip = ip->text();
        if (!exposed.host_ip.empty() && !IpAddress::parse(exposed.host_ip))
            ip->fail(fmt::format(" must be an IP address, not {}", text::quoted(exposed.host_ip)));
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

PublishedPort PublishedPort::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.protocol = fields.required_text("protocol").text(),
            .host_ip = fields.text_or("hostIP", ""),
            .host_port = port_from(fields.required("hostPort")),
            .pod_port = port_from(fields.required("podPort")),
            .count = static_cast<std::uint32_t>(fields.required("count").integer(1, last_port))};
}

json::Value PublishedPort::json() const
{
    return json::ObjectWriter{}
        .set("protocol", protocol)
        .set_text("hostIP", host_ip)
        .set("hostPort", std::uint32_t{host_port})
        .set("podPort", std::uint32_t{pod_port})
        .set("count", count)
        .done();
}

bool collide(const PublishedPort& a, const PublishedPort& b)
{
    const auto everywhere = [](const PublishedPort& port) { return port.host_ip.empty(); };
    const auto all_of_family = [](const PublishedPort& port, const PublishedPort& other) {
        const auto address = IpAddress::parse(other.host_ip);
        return address && port.host_ip == (address->is_v6() ? "::" : "0.0.0.0");
    };
    const bool same_address =
        everywhere(a) || everywhere(b) || a.host_ip == b.host_ip || all_of_family(a, b) || all_of_family(b, a);
    return same_address && a.protocol == b.protocol && a.host_port < b.host_port + b.count &&
           b.host_port < a.host_port + a.count;
}

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
#include "common/model/metadata.hh"

#include <algorithm>

#include "common/model/ip_address.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::size_t token_digits = 32;

std::string address_from(const json::Cursor& cursor)
{
    const auto address = IpAddress::parse(cursor.text());
    if (!address)
        cursor.fail(" must be an IP address");
    return address->str();
}

} // namespace

MetadataRecord MetadataRecord::parse(std::string_view text)
{
    const auto value = json::parse(text, "metadata.json");
    json::Fields fields{{value, "metadata"}};
    MetadataRecord record{.listen = address_from(fields.required("listen")), .from = {}};
    for (const auto& item : fields.required("from").items())
        record.from.push_back(address_from(item));
    return record;
}

std::string MetadataRecord::write() const
{
    return json::write(json::ObjectWriter{}.set("listen", listen).set("from", json::to_json(from)).done());
}

MetadataRecord metadata_record(const NetworkState& networks, const std::vector<std::string>& host_addresses)
{
    MetadataRecord record;
    const auto is_hosts = [&](const std::string& gateway) {
        return !gateway.empty() && std::ranges::find(host_addresses, gateway) != host_addresses.end();
    };
    for (const bool v6 : {false, true})
        for (const auto& network : networks.networks) {
            if (!network.result)
                continue;
            for (const auto& address : network.result->addresses) {
                if (address.is_v6 != v6)
                    continue;
                record.from.push_back(address.address);
                if (record.listen.empty() && is_hosts(address.gateway))
                    record.listen = address.gateway;
            }
        }
    if (record.listen.empty())
        throw Error{Error::Kind::unsupported, "no network of the pod has this host as its gateway",
                    "add a network from which the metadata service can be reached: --net=default-restricted,..."};
    return record;
}

MetadataRecord metadata_record_of_host_network()
{
    return {.listen = "127.0.0.1", .from = {}};
}

MetadataRegistration MetadataRegistration::parse(std::string_view text)
{
    const auto value = json::parse(text, "the metadata service's answer", {.size = 4096, .depth = 2});
    json::Fields fields{{value, "answer"}};
    MetadataRegistration registration;
    registration.port = static_cast<std::uint16_t>(fields.required("port").integer(1, UINT16_MAX));
    const auto token = fields.required("token");
    registration.token = token.text();
    if (registration.token.size() != token_digits || !text::is_lower_hex(registration.token))
        token.fail(" must be 32 lower-case hex digits");
    return registration;
}

std::string MetadataRegistration::write() const
{
    return json::write(json::ObjectWriter{}.set("port", std::uint32_t{port}).set("token", token).done());
}

std::string MetadataRegistration::url(const MetadataRecord& record) const
{
    const bool is_v6 = record.listen.find(':') != std::string::npos;
    return is_v6 ? fmt::format("http://[{}]:{}/{}", record.listen, port, token)
                 : fmt::format("http://{}:{}/{}", record.listen, port, token);
}

} // namespace rocket::model

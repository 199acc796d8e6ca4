// SPDX-License-Identifier: Apache-2.0
// metadata.json in the pod directory: that the pod is registered with the metadata service (chapter 16), and where the
// two meet. Written by stage1 before it registers the pod, read by the service, which keeps nothing of its own about
// pods. And what the service answers to a registration. Errors: Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/network.hh"

namespace rocket::model
{

namespace pod_dir
{
inline constexpr const char* metadata = "metadata.json"; // MetadataRecord
} // namespace pod_dir

namespace host_run
{
inline constexpr const char* metadata_socket = "/run/rkt/metadata-svc.sock"; // where pods are registered (cli 10.1)
} // namespace host_run

struct MetadataRecord {
    std::string listen;            // the address of the host that the pod asks: of a gateway, or of the loopback
    std::vector<std::string> from; // the pod's own addresses; none: it shares the host's network

    static MetadataRecord parse(std::string_view text);
    std::string write() const;
    bool operator==(const MetadataRecord&) const = default;
};

// Of a pod with networks of its own: the first gateway that is an address of this host, IPv4 before IPv6. Throws
// Kind::unsupported if there is none. `host_addresses` as inet_ntop writes them.
MetadataRecord metadata_record(const NetworkState& networks, const std::vector<std::string>& host_addresses);
// Of a pod that shares the host's.
MetadataRecord metadata_record_of_host_network();

struct MetadataRegistration {
    std::uint16_t port = 0;
    std::string token; // 32 lower-case hex digits: 128 bits (MDS-2)

    static MetadataRegistration parse(std::string_view text);
    std::string write() const;
    std::string url(const MetadataRecord& record) const; // AC_METADATA_URL, without a slash at its end
    bool operator==(const MetadataRegistration&) const = default;
};

} // namespace rocket::model

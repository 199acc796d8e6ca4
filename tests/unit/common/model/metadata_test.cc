// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/model/metadata.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

AttachedNetwork network(std::vector<CniAddress> addresses)
{
    AttachedNetwork attached;
    attached.result = CniResult{.raw = {}, .addresses = std::move(addresses), .host_interfaces = {}, .dns = {}};
    return attached;
}

} // namespace

TEST_CASE("where a pod asks: the first gateway that is this host's, IPv4 before IPv6 (cli 10.1)")
{
    NetworkState state;
    state.networks.push_back(network({{true, "fd00::2", 64, "fd00::1"}, {false, "10.0.0.2", 24, "10.0.0.254"}}));
    state.networks.push_back(network({{false, "10.1.0.2", 24, "10.1.0.1"}, {false, "10.2.0.2", 24, ""}}));
    const auto record = metadata_record(state, {"127.0.0.1", "10.1.0.1", "fd00::1"});
    CHECK(record.listen == "10.1.0.1");
    CHECK(record.from == std::vector<std::string>{"10.0.0.2", "10.1.0.2", "10.2.0.2", "fd00::2"});
    CHECK(metadata_record(state, {"fd00::1"}).listen == "fd00::1");
    CHECK_THROWS_WITH_AS(metadata_record(state, {"127.0.0.1"}), "no network of the pod has this host as its gateway",
                         Error);
    CHECK(MetadataRecord::parse(record.write()) == record);
    CHECK_THROWS_AS(MetadataRecord::parse(R"({"listen":"0","from":[]})"), Error);
}

TEST_CASE("AC_METADATA_URL: http://HOST:PORT/TOKEN (MDS-2)")
{
    const MetadataRegistration registration{18112, "0123456789abcdef0123456789abcdef"};
    CHECK(MetadataRegistration::parse(registration.write()) == registration);
    CHECK(registration.url({"10.1.0.1", {}}) == "http://10.1.0.1:18112/0123456789abcdef0123456789abcdef");
    CHECK(registration.url({"fd00::1", {}}) == "http://[fd00::1]:18112/0123456789abcdef0123456789abcdef");
    for (const char* bad : {R"({"port":0,"token":"0123456789abcdef0123456789abcdef"})", R"({"port":1,"token":"../x"})",
                            R"({"port":1,"token":"0123456789ABCDEF0123456789ABCDEF"})", "[]", ""}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(MetadataRegistration::parse(bad), Error);
    }
}

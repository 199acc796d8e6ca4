// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/net/ports.hh"
#include "stage0/net/selection.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::net;

namespace
{

std::vector<std::string> names(const std::vector<model::NetworkRequest>& networks)
{
    std::vector<std::string> out;
    for (const auto& network : networks)
        out.push_back(network.interface + "=" + network.config.name);
    return out;
}

using Names = std::vector<std::string>;
constexpr const char* uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
constexpr const char* other_uuid = "7ba7b810-9dad-11d1-80b4-00c04fd430c8";

} // namespace

TEST_CASE("--net: host wins, none is alone, nothing means default (internals 10.1)")
{
    CHECK(Selection::parse("host").kind == Selection::Kind::host);
    CHECK(Selection::parse("default,host").kind == Selection::Kind::host);
    CHECK(Selection::parse("none").kind == Selection::Kind::none);
    CHECK(Selection::parse("all").kind == Selection::Kind::all);
    CHECK(Selection::parse("").networks == std::vector<Wanted>{{"default", ""}});
    CHECK(Selection::parse("a:IP=1.2.3.4;X=y,b").networks == std::vector<Wanted>{{"a", "IP=1.2.3.4;X=y"}, {"b", ""}});
}

TEST_CASE("--net: what is no list of networks")
{
    CHECK_THROWS_WITH(Selection::parse("a,,b"), "netname must not be empty");
    CHECK_THROWS_WITH(Selection::parse("a,a"), R"(found duplicate netname "a")");
    CHECK_THROWS_WITH(Selection::parse("host:A=b"), R"(arguments are not supported by special netname "host")");
    CHECK_THROWS_WITH(Selection::parse("all:A=b"), R"(arguments are not supported by special netname "all")");
    CHECK_THROWS_WITH(Selection::parse("a:b"), R"(network "a" provided with invalid arguments: [b])");
    CHECK_THROWS_WITH(Selection::parse("none,a"), R"(network "none" cannot be combined with others)");
}

TEST_CASE("networks: directories, order and what replaces what (internals 10.2)")
{
    const Scratch scratch;
    const auto write = [&](const std::string& name, const std::string& text) {
        const auto path = scratch.path() + "/" + name;
        sys::make_dirs(path.substr(0, path.rfind('/')), 0755);
        file::write_new(AT_FDCWD, path, text);
    };
    write("system/net.d/20-b.conf", R"({"name":"b","type":"bridge"})");
    write("system/net.d/30-c.conflist", R"({"name":"c","cniVersion":"1.0.0","plugins":[{"type":"macvlan"}]})");
    write("local/net.d/10-c.conf", R"({"name":"c","type":"ptp"})");
    write("local/net.d/11-c.conf", R"({"name":"c","type":"ipvlan"})");
    write("local/net.d/99-default.conf", R"({"name":"default","type":"bridge"})");
    write("local/net.d/README", "not a network");
    const auto catalog = load_catalog(scratch.path() + "/system", scratch.path() + "/local");
    CHECK(names(choose(Selection::parse("all"), catalog)) ==
          Names{"eth0=c", "eth1=b", "eth2=default-restricted", "eth3=default"});
    CHECK(names(choose(Selection::parse("default,c"), catalog)) == Names{"eth0=c", "eth1=default"});
    CHECK(model::plugin_type(catalog.find("c")->config.plugins[0]) == "ptp");
    CHECK(model::plugin_type(catalog.find("default")->config.plugins[0]) == "bridge");
    CHECK(catalog.notes.size() == 2);
    CHECK_THROWS_WITH(choose(Selection::parse("x,default,y"), catalog), "networks not found: x, y");

    write("local/net.d/00-bad.conf", "{");
    CHECK_THROWS_AS(load_catalog("", scratch.path() + "/local"), Error);
}

TEST_CASE("a plugin that is not installed is told with its package")
{
    const Scratch scratch;
    const auto catalog = load_catalog("", "");
    const auto chosen = choose(Selection::parse("default"), catalog);
    try {
        check_plugins(chosen, {scratch.path()});
        FAIL("not refused");
    } catch (const Error& error) {
        CHECK(std::string{error.what()}.find("\"ptp\"") != std::string::npos);
        CHECK(error.hint().find("containernetworking-plugins") != std::string::npos);
    }
    for (const char* plugin : {"/ptp", "/host-local"})
        file::write_new(AT_FDCWD, scratch.path() + plugin, "", 0755);
    check_plugins(chosen, {"/nonexistent", scratch.path()});
}

TEST_CASE("the built-in networks without IPv6")
{
    const auto networks = built_in_networks(false);
    const auto text = model::json::write(networks[0].config.json());
    CHECK(text.find("172.16.28.0/24") != std::string::npos);
    CHECK(text.find("::") == std::string::npos);
}

TEST_CASE("ports of the host: one pod each, until it gives them back (F6)")
{
    const Scratch scratch;
    bool is_dead = false;
    std::vector<std::string> asked;
    const HostPorts ports{[&](const Holder& holder) {
                              asked.push_back(holder.pod.str() + " " + holder.data_dir);
                              return is_dead;
                          },
                          scratch.path() + "/ports"};
    const std::vector<model::PublishedPort> wanted{{"tcp", "203.0.113.1", 18080, 80, 10}};
    const Holder first{model::PodId::parse(uuid), "/data"}, second{model::PodId::parse(other_uuid), "/data"};
    ports.check_free(wanted);
    ports.reserve(first, wanted);
    CHECK_THROWS_WITH(
        ports.check_free({{"tcp", "", 18085, 1, 1}}),
        R"(port 18085/tcp: pod "6ba7b810-9dad-11d1-80b4-00c04fd430c8" has published 203.0.113.1:18080-18089/tcp)");
    ports.reserve(second, {{"udp", "", 18085, 1, 1}});
    is_dead = true;
    ports.reserve(second, wanted);
    CHECK(asked.back() == std::string{uuid} + " /data");
    CHECK(file::list(AT_FDCWD, scratch.path() + "/ports") == Names{other_uuid});
    ports.check_free({});
}

TEST_CASE("ports of the host: what a program listens on is refused")
{
    const Scratch scratch;
    const HostPorts ports{[](const Holder&) { return false; }, scratch.path() + "/ports"};
    const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket.get(), 1) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const auto port = ntohs(address.sin_port);
    CHECK_THROWS_WITH_AS(ports.check_free({{"tcp", "", port, 80, 1}}),
                         doctest::Contains("a program of the host listens on"), Error);
    CHECK_THROWS_WITH_AS(ports.check_free({{"icmp", "", 1, 1, 1}}), doctest::Contains("only tcp, udp and sctp"), Error);
    ports.check_free({{"udp", "", port, 80, 1}});
}

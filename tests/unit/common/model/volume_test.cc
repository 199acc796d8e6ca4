// SPDX-License-Identifier: Apache-2.0
#include "common/model/volume.hh"

#include "common/model/port.hh"
#include "support.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

struct Bad {
    const char *text, *words;
};

template <typename Type>
void check_strings(std::initializer_list<Bad> cases)
{
    for (const auto& row : cases) {
        const auto* text = row.text;
        const auto* words = row.words;
        CAPTURE(text);
        check_refused([&] { Type::parse(text); }, words, Error::Kind::usage);
    }
}

template <typename Type>
void check_json(std::initializer_list<Bad> cases)
{
    for (const auto& row : cases) {
        const auto* text = row.text;
        const auto* words = row.words;
        CAPTURE(text);
        check_refused([&] { read_as<Type>(text); }, words);
    }
}

} // namespace

TEST_CASE("volume strings: there and back (STR-1)")
{
    for (const char* text :
         {"foobar,kind=host,source=/tmp,readOnly=true", "foobar,kind=host,source=/tmp,recursive=false",
          "foobar,kind=empty,mode=0777,uid=1000,gid=1000", "foobar,kind=empty", "foobar,kind=empty,readOnly=false",
          "a,kind=host,source=/x=y"}) {
        CAPTURE(text);
        CHECK(Volume::parse(text).str() == text);
    }
    CHECK(Volume::parse("a,uid=4294967294,kind=empty").uid == 4294967294U);
    CHECK(Volume::parse("a,kind=empty,mode=755").mode == 0755);
    CHECK(Volume::parse("a,kind=empty,mode=07777").mode == 07777);
}

TEST_CASE("volume strings: malformed ones (STR-1, VOL-1, VOL-2, cli 7.5)")
{
    check_strings<Volume>({
        {"#foobar,kind=host,source=/tmp", "not a valid name"},
        {"", "a name cannot be empty"},
        {",kind=empty", "a name cannot be empty"},
        {"a", "unrecognized volume kind: should be one of \"empty\", \"host\""},
        {"a,kind=tmpfs", "unrecognized volume kind"},
        {"a,kind=empty,asdf=asdf", "unknown volume parameter \"asdf\""},
        {"a,Kind=empty", "unknown volume parameter \"Kind\""},
        {"a,kind=host,source=tmp", "source for host volume must be absolute path"},
        {"a,kind=host", "source for host volume cannot be empty"},
        {"a,kind=host,source=/tmp,uid=3", "uid for host volume cannot be set"},
        {"a,kind=host,source=/tmp,mode=0755", "mode for host volume cannot be set"},
        {"a,kind=host,source=/tmp,gid=0", "gid for host volume cannot be set"},
        {"a,kind=empty,source=/tmp", "source for empty volume must be empty"},
        {"a,kind=empty,recursive=MAYBE", "recursive of a volume must be true or false"},
        {"a,kind=empty,readOnly=", "readOnly of a volume must be true or false"},
        {"a,kind=empty,kind=host", "label kind with multiple values [empty host]"},
        {"a,kind=empty,uid", "volume parameter \"uid\" has no value"},
        {"a,kind=empty,", "has no value"},
        {"a,kind=empty,uid=-1", "uid of a volume must be a number"},
        {"a,kind=empty,uid=4294967295", "uid of a volume must be a number"},
        {"a,kind=empty,gid=0x1", "gid of a volume must be a number"},
        {"a,kind=empty,mode=xyz", "mode must be octal"},
        {"a,kind=empty,mode=0888", "mode must be octal"},
        {"a,kind=empty,mode=17777", "mode must be octal"},
        {"a,kind=empty,mode=000755", "mode must be octal"},
        {"a,kind=empty,mode=", "mode must be octal"},
    });
}

TEST_CASE("volumes in JSON: defaults, three states, round trip (VOL-1, VOL-9, RT-6)")
{
    CHECK(json::write(read_as<Volume>(R"({"name":"a","kind":"empty"})").json()) ==
          R"({"name":"a","kind":"empty","mode":"0755","uid":0,"gid":0})");
    const char* host = R"({"name":"a","kind":"host","source":"/x","readOnly":false,"recursive":true,"label":"z"})";
    CHECK(json::write(read_as<Volume>(host).json()) == host);
    CHECK_FALSE(read_as<Volume>(R"({"name":"a","kind":"host","source":"/x","readOnly":null})").read_only);
}

TEST_CASE("volumes in JSON: malformed ones (VOL-1, VOL-2)")
{
    check_json<Volume>({
        {R"({"kind":"empty"})", "x has no \"name\""},
        {R"({"name":"A","kind":"empty"})", "x.name: \"A\" is not a valid name"},
        {R"({"name":"a"})", "x has no \"kind\""},
        {R"({"name":"a","kind":"Host","source":"/x"})", "x: unrecognized volume kind"},
        {R"({"name":"a","kind":"host"})", "x: source for host volume cannot be empty"},
        {R"({"name":"a","kind":"host","source":"x"})", "must be absolute path"},
        {R"({"name":"a","kind":"host","source":"/x\u0000y"})", "x.source contains a NUL character"},
        {R"({"name":"a","kind":"host","source":"/x","mode":"0755"})", "mode for host volume cannot be set"},
        {R"({"name":"a","kind":"host","source":"/x","uid":0})", "uid for host volume cannot be set"},
        {R"({"name":"a","kind":"host","source":"/x","gid":0})", "gid for host volume cannot be set"},
        {R"({"name":"a","kind":"empty","source":"/x"})", "source for empty volume must be empty"},
        {R"({"name":"a","kind":"empty","mode":755})", "x.mode must be a string, not a number"},
        {R"({"name":"a","kind":"empty","mode":"xyz"})", "x: mode must be octal"},
        {R"({"name":"a","kind":"empty","uid":-1})", "x.uid must be an integer from 0 to 4294967294"},
        {R"({"name":"a","kind":"empty","gid":"0"})", "x.gid must be an integer"},
        {R"({"name":"a","kind":"empty","readOnly":"true"})", "x.readOnly must be true or false"},
        {R"([])", "x must be an object, not a list"},
    });
}

TEST_CASE("volumes: who decides on read-only (VOL-9)")
{
    const auto writable = Volume::parse("a,kind=empty,readOnly=false");
    const auto silent = Volume::parse("a,kind=empty");
    const auto point = MountPoint::parse("a,path=/a,readOnly=true");
    CHECK_FALSE(is_read_only(writable, &point));
    CHECK(is_read_only(silent, &point));
    CHECK_FALSE(is_read_only(silent, nullptr));
    CHECK(is_read_only(Volume::parse("a,kind=empty,readOnly=1"), nullptr));
}

TEST_CASE("mount points: strings and JSON (STR-2, APP-19, APP-20)")
{
    CHECK(MountPoint::parse("foobar,path=/tmp,readOnly=true").str() == "foobar,path=/tmp,readOnly=true");
    CHECK(MountPoint::parse("foobar,path=/tmp").str() == "foobar,path=/tmp");
    check_strings<MountPoint>({
        {"foobar", "path cannot be empty"},
        {"foobar,path=", "path cannot be empty"},
        {"foobar,path=/tmp,readOnly=", "readOnly of a mount point must be true or false"},
        {",path=/", "a name cannot be empty"},
        {"", "a name cannot be empty"},
        {"foobar,path=tmp", "path must be absolute"},
        {"foobar,path=/..//.", "path cannot be the root directory"},
        {"foobar,path=/a,x=y", "unknown mount point parameter \"x\""},
    });
    check_json<MountPoint>({
        {R"({"path":"/a"})", "x has no \"name\""},
        {R"({"name":"a"})", "x has no \"path\""},
        {R"({"name":"a","path":""})", "x.path: path cannot be empty"},
        {R"({"name":"a","path":"/"})", "x.path: path cannot be the root directory"},
        {R"({"name":"a","path":"b"})", "x.path: path must be absolute, not \"b\""},
        {R"({"name":"a","path":"/b","readOnly":1})", "x.readOnly must be true or false"},
    });
}

TEST_CASE("mounts: strings and JSON (VOL-3, VOL-4, cli 7.2)")
{
    const auto mount = Mount::parse("volume=data,target=/var/%41+x");
    CHECK(mount.volume == "data");
    CHECK(mount.path == "/var/%41+x"); // literal (cli Q16)
    check_strings<Mount>({
        {"volume=a", "volume=NAME,target=PATH"},
        {"target=/a", "volume=NAME,target=PATH"},
        {"volume=a,target=/b,k=v", "unknown mount parameter \"k\""},
        {"volume=a,target=b", "path must be absolute"},
        {"volume=a,target=/", "path cannot be the root directory"},
        {"volume=A,target=/b", "not a valid name"},
        {"a", "has no value"},
    });
    const char* own = R"({"volume":"a","path":"/b","appVolume":{"name":"a","kind":"host","source":"/x"}})";
    CHECK(json::write(read_as<Mount>(own).json()) == own);
    check_json<Mount>({
        {R"({"path":"/a"})", "x has no \"volume\""},
        {R"({"volume":"a"})", "x has no \"path\""},
        {R"({"volume":"a","path":"/b","appVolume":{"name":"a"}})", "x.appVolume has no \"kind\""},
    });
}

TEST_CASE("ports: strings and JSON (STR-3, APP-22, APP-23)")
{
    const char* full = "query,protocol=tcp,port=8080,count=1,socketActivated=true";
    CHECK(Port::parse(full).str() == full);
    CHECK(Port::parse("a,protocol=sctp,port=65535,count=0").count == 1);
    CHECK(Port::parse("a,protocol=udp,port=1,count=65535").count == 65535);
    check_strings<Port>({
        {"a,protocol=tcp", "port=NUMBER"},
        {"a,port=1", "protocol=NAME"},
        {"a,protocol=,port=1", "protocol=NAME"},
        {"a,protocol=tcp,port=0", "port of a port must be a number from 1 to 65535"},
        {"a,protocol=tcp,port=65536", "must be a number from 1 to 65535"},
        {"a,protocol=tcp,port=65535,count=2", "ports end at 65535"},
        {"a,protocol=tcp,port=32456,count=45678", "ports end at 65535"},
        {"a,protocol=tcp,port=1,foo=1", "unknown port parameter \"foo\""},
        {"a,protocol=tcp,port=1,socketActivated=yes", "must be true or false"},
    });
    CHECK(json::write(read_as<Port>(R"({"name":"a","protocol":"tcp","port":65535,"count":0})").json()) ==
          R"({"name":"a","protocol":"tcp","port":65535,"count":1,"socketActivated":false})");
    check_json<Port>({
        {R"({"protocol":"tcp","port":1})", "x has no \"name\""},
        {R"({"name":"a","port":1})", "x has no \"protocol\""},
        {R"({"name":"a","protocol":"","port":1})", "x.protocol is empty"},
        {R"({"name":"a","protocol":"tcp"})", "x has no \"port\""},
        {R"({"name":"a","protocol":"tcp","port":0})", "x.port must be an integer from 1 to 65535, not 0"},
        {R"({"name":"a","protocol":"tcp","port":65536})", "x.port must be an integer from 1 to 65535"},
        {R"({"name":"a","protocol":"tcp","port":"80"})", "x.port must be an integer, not a string"},
        {R"({"name":"a","protocol":"tcp","port":80.0})", "x.port must be an integer"},
        {R"({"name":"a","protocol":"tcp","port":65535,"count":2})", "x: ports end at 65535"},
    });
}

TEST_CASE("exposed ports: strings and JSON (POD-12, POD-13, cli 7.3)")
{
    CHECK(ExposedPort::parse("http:80").host_ip.empty());
    CHECK(ExposedPort::parse("http:80").host_port == 80);
    CHECK(ExposedPort::parse("http:192.0.2.1:8080").host_ip == "192.0.2.1");
    CHECK(ExposedPort::parse("http:[2001:DB8:0::1]:8080").host_ip == "2001:db8::1"); // Q28
    CHECK(ExposedPort::parse("http:[::]:8080").host_port == 8080);
    check_strings<ExposedPort>({
        {"http", "\"http\" is not in name:[ip:]port format"},
        {"a:b:c:d", "\"a:b:c:d\" is not in name:[ip:]port format"},
        {"http:[1.2.3.4]:80", "\"[1.2.3.4]\" is not a valid IP"},
        {"http:[::1:80", "\"[::1\" is not a valid IP"},
        {"http:::1:80", "\"http:::1:80\" is not in name:[ip:]port format"},
        {"A:80", "\"A\" is not a valid port name"},
        {"http:1.2.3:80", "\"1.2.3\" is not a valid IP"},
        {"http:192.0.2.1:x", "\"x\" is not a valid port number"},
        {"http:65536", "\"65536\" is not a valid port number"},
        {"http:0", "\"0\" is not a valid port number"},
        {"http:", "\"\" is not a valid port number"},
    });
    const auto direct = ExposedPort::parse_direct("http:udp:80:192.0.2.1:8080"); // cli 8.17
    CHECK(direct.host_ip == "192.0.2.1");
    CHECK(direct.host_port == 8080);
    REQUIRE(direct.pod_port.has_value());
    CHECK(direct.pod_port->str() == "http,protocol=udp,port=80,count=1,socketActivated=false");
    CHECK(ExposedPort::parse_direct("http:tcp:80::8080").host_ip.empty());
    CHECK(ExposedPort::parse_direct("http:tcp:80:[2001:db8::1]:8080").host_ip == "2001:db8::1");
    for (const auto& row : std::vector<std::pair<const char*, const char*>>{
             {"http:8080", "\"http:8080\" is not in name:proto:podport:ip:hostport format"},
             {"http:tcp:80:8080", "is not in name:proto:podport:ip:hostport format"},
             {"http:icmp:80::8080", "\"icmp\" is not a valid protocol: tcp or udp"},
             {"http:tcp:0::8080", "\"0\" is not a valid port number"},
             {"http:tcp:80:2001:db8::1:8080", "\"2001:db8::1\" is not a valid IP"},
             {"A:tcp:80::8080", "\"A\" is not a valid port name"},
         }) {
        CAPTURE(row.first);
        CHECK_THROWS_WITH_AS(ExposedPort::parse_direct(row.first), doctest::Contains(row.second), Error);
    }
    const char* full =
        R"({"name":"a","hostPort":1,"hostIP":"192.0.2.1","podPort":{"name":"a","protocol":"tcp","port":2,"count":1,"socketActivated":false}})";
    CHECK(json::write(read_as<ExposedPort>(full).json()) == full);
    check_json<ExposedPort>({
        {R"({"hostPort":1})", "x has no \"name\""},
        {R"({"name":"a"})", "x has no \"hostPort\""},
        {R"({"name":"a","hostPort":0})", "x.hostPort must be an integer from 1 to 65535"},
        {R"({"name":"a","hostPort":1,"hostIP":"1.2.3"})", "x.hostIP must be an IP address, not \"1.2.3\""},
        {R"({"name":"a","hostPort":1,"hostIP":"[::1]"})", "x.hostIP must be an IP address"},
        {R"({"name":"a","hostPort":65535,"podPort":{"name":"a","protocol":"tcp","port":2,"count":2}})", "x: ports end"},
        {R"({"name":"a","hostPort":1,"podPort":{"name":"a","protocol":"tcp","port":0}})", "x.podPort.port must be"},
    });
}

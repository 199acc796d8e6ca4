// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/lookaside.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using oci::DockerName;
using oci::Lookaside;

namespace
{

std::string error_of(const std::string& yaml)
{
    Lookaside lookaside;
    try {
        lookaside.add("docker:\n  there.example.com: {}\n", "first.yaml");
        lookaside.add(yaml, "second.yaml");
        return lookaside.place_of(DockerName::parse("example.com/app"));
    } catch (const Error& error) {
        return error.innermost();
    }
}

} // namespace

TEST_CASE("containers-registries.d(5): the most specific scope that has a place decides")
{
    Lookaside lookaside;
    lookaside.add("# comments\n", "empty.yaml");
    lookaside.add("default-docker:\n  lookaside: https://default.example.com\n  lookaside-staging: file:///staging\n"
                  "docker:\n  example.com:\n    sigstore: https://old.example.com/x\n"
                  "  example.com/team:\n    lookaside: file:///srv/signatures\n    sigstore: https://old.example.com\n",
                  "a.yaml");
    lookaside.add(
        "docker:\n  example.com/team/app:\n    use-sigstore-attachments: true\n    lookaside-staging: file:///s\n"
        "  example.com/team/app:v1:\n    lookaside: https://one.example.com\n"
        "  docker.io/library/busybox:\n    lookaside: https://hub.example.com\n",
        "b.yaml");
    const auto place_of = [&](const char* name) { return lookaside.place_of(DockerName::parse(name)); };
    CHECK(place_of("example.com/team/app:v1") == "https://one.example.com");
    CHECK(place_of("example.com/team/app:v2") == "/srv/signatures");
    CHECK(place_of("example.com/team/x/y") == "/srv/signatures");
    CHECK(place_of("example.com/teams/x") == "https://old.example.com/x");
    CHECK(place_of("example.com:5000/team/x") == "https://default.example.com");
    CHECK(place_of("busybox") == "https://hub.example.com");
    CHECK(Lookaside{}.place_of(DockerName::parse("busybox")).empty());
}

TEST_CASE("containers-registries.d(5): what is wrong is told with its file and line")
{
    CHECK(error_of("docker:\n  - a\n") == "second.yaml:2: docker must be a mapping");
    CHECK(error_of("- a\n") == "second.yaml:1: the file must be a mapping");
    CHECK(error_of("docker:\n  a: b\n") == "second.yaml:2: \"a\" must be a mapping");
    CHECK(error_of("docker:\n  a:\n    lookaside: [b]\n") == "second.yaml:3: lookaside must be a text");
    CHECK(error_of("default-docker: x\n") == "second.yaml:1: default-docker must be a mapping");
    CHECK(error_of("docker:\n  there.example.com:\n    lookaside: x\n") ==
          "second.yaml:3: \"there.example.com\" is already at first.yaml:2");
    CHECK(error_of("docker: {\n  a: b\n").starts_with("second.yaml:3: this is not YAML: "));
    CHECK(error_of("docker:\n  example.com:\n    lookaside: http://a\n").starts_with("second.yaml:3: signatures are"));
    CHECK(error_of("docker:\n  [a, b]: {}\n") == "second.yaml:2: a scope of docker must be a text");
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/simple_signing.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "stage0/oci/registry_rules.hh"

using namespace rocket;
using namespace rocket::oci;

namespace
{

const auto digest = store::ContentDigest::of("manifest");

Claim claim(const std::string& reference)
{
    return Claim::parse(R"({"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":")" +
                        digest.str() + R"("},"identity":{"docker-reference":")" + reference +
                        R"("}},"optional":null})");
}

bool is_for(const std::string& reference, const std::string& wanted)
{
    try {
        check_claim(claim(reference), DockerName::parse(wanted), digest);
        return true;
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::untrusted);
        return false;
    }
}

} // namespace

TEST_CASE("a claim is for the name it says, in any spelling")
{
    CHECK(is_for("busybox", "docker.io/library/busybox:latest"));
    CHECK(is_for("docker.io/library/busybox:1", "busybox:1"));
    CHECK_FALSE(is_for("busybox", "busybox:1"));
    CHECK_FALSE(is_for("example.com/a:1", "example.com/ab:1"));
    CHECK(is_for("example.com/a:1", "example.com/a@" + digest.str()));
    CHECK_FALSE(is_for("example.com/b:1", "example.com/a@" + digest.str()));
    CHECK_FALSE(is_for("", "a"));
    CHECK_THROWS(check_claim(claim("a"), DockerName::parse("a"), store::ContentDigest::of("other")));
}

TEST_CASE("where signatures lie")
{
    CHECK(signature_path(DockerName::parse("busybox"), digest, 2) ==
          "library/busybox@sha256=" + std::string{digest.hex()} + "/signature-2");
}

TEST_CASE("rules for a registry: the longest prefix decides, item by item")
{
    const std::map<std::string, config::Registry> registries{
        {"docker.io", {.mirrors = {"m.example/hub", "n.example"}, .signatures = "/hub"}},
        {"docker.io/library", {.signatures = "/library", .are_unsigned_taken = true}},
        {"docker.io/library/busy", {.signatures = "/busy"}},
        {"docker.io/library/busybox", {.are_unsigned_taken = false}},
        {"registry-1.docker.io/team", {.mirrors = {"t.example"}, .mirror_tags = true}},
    };
    auto rules = rules_for(registries, DockerName::parse("busybox"));
    CHECK(rules.signatures == "/library");
    CHECK_FALSE(rules.are_unsigned_taken);
    REQUIRE(rules.mirrors.size() == 2);
    CHECK(rules.mirrors[0] == Rules::Mirror{"m.example", "hub/library/busybox"});
    CHECK(rules.mirrors[1] == Rules::Mirror{"n.example", "library/busybox"});
    CHECK_FALSE(rules.mirror_tags);
    rules = rules_for(registries, DockerName::parse("team/x"));
    CHECK(rules.signatures == "/hub");
    CHECK(rules.mirrors == std::vector{Rules::Mirror{"t.example", "x"}});
    CHECK(rules.mirror_tags);
    CHECK(rules_for(registries, DockerName::parse("example.com/x")).mirrors.empty());
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/policy.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "stage0/oci/registry_rules.hh"

using namespace rocket;
using namespace rocket::oci;

namespace
{

Policy parse(const std::string& transports, const std::string& otherwise = R"([{"type":"insecureAcceptAnything"}])")
{
    return Policy::parse(fmt::format(R"({{"default":{},"transports":{{{}}}}})", otherwise, transports), "policy.json");
}

Demands of(const Policy& policy, std::string_view name)
{
    return policy.of_docker(DockerName::parse(name));
}

std::string error_of(const std::string& text)
{
    try {
        Policy::parse(text, "/x/policy.json");
    } catch (const Error& error) {
        return error.innermost();
    }
    return "no error";
}

std::string error_of_demand(const std::string& demand)
{
    return error_of(
        fmt::format(R"({{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"a.test":[{}]}}}}}})", demand));
}

constexpr auto anything = R"([{"type":"insecureAcceptAnything"}])";

} // namespace

TEST_CASE("policy: what lets everything in does not count, what names a registry does")
{
    const auto policy =
        parse(fmt::format(R"("docker":{{"":{0},"a.test":{0},"*.wild.test":{0},"b.test/team/box:v1":{0}}})", anything));
    CHECK_FALSE(of(policy, "other.test/x").is_anything_taken);
    CHECK_FALSE(
        of(Policy::parse(R"({"default":[{"type":"insecureAcceptAnything"}]})", "f"), "a.test/x").is_anything_taken);
    CHECK(of(policy, "a.test/x").is_anything_taken);
    CHECK(of(policy, "a.test/x/y:z").is_anything_taken);
    CHECK_FALSE(of(policy, "a.test.evil/x").is_anything_taken);
    CHECK_FALSE(of(policy, "a.test:5000/x").is_anything_taken);
    CHECK(of(policy, "deep.down.wild.test/x").is_anything_taken);
    CHECK_FALSE(of(policy, "wild.test/x").is_anything_taken);
    CHECK(of(policy, "b.test/team/box:v1").is_anything_taken);
    CHECK_FALSE(of(policy, "b.test/team/box:v2").is_anything_taken);
    CHECK_FALSE(of(Policy{}, "a.test/x").is_anything_taken);
}

TEST_CASE("policy: the most specific scope decides")
{
    const auto policy =
        parse(R"("docker":{"a.test":[{"type":"reject"}],"a.test/good":[{"type":"insecureAcceptAnything"}],
                                 "a.test/good/bad":[{"type":"reject"}],"docker.io/library/x":[{"type":"reject"}]},
                                 "oci":{"/srv":[{"type":"insecureAcceptAnything"}],"/srv/bad":[{"type":"reject"}]},
                                 "atomic":{"":[{"type":"of the future"}]})",
              R"([{"type":"reject"}])");
    CHECK(of(policy, "a.test/x").is_rejected);
    CHECK_FALSE(of(policy, "a.test/good").is_rejected);
    CHECK_FALSE(of(policy, "a.test/good/x:1").is_rejected);
    CHECK(of(policy, "a.test/good/bad:1").is_rejected);
    CHECK(of(policy, "a.test/goodness").is_rejected);
    CHECK(of(policy, "x").scope == "policy.json: policy.transports[\"docker\"][\"docker.io/library/x\"]");
    CHECK(of(policy, "elsewhere.test/x").is_rejected); // by default
    CHECK(policy.of_file("oci", "/srv/a/b").is_anything_taken);
    CHECK(policy.of_file("oci", "/srv/bad/b").is_rejected);
    CHECK(policy.of_file("oci", "/srvx").is_rejected);
    CHECK(policy.of_file("docker-archive", "/srv/a").is_rejected);
    CHECK_THROWS_WITH(refuse_rejected(of(policy, "x"), "docker://x"),
                      R"("docker://x" is rejected by policy.json: policy.transports["docker"]["docker.io/library/x"])");
}

TEST_CASE("policy: signatures that are demanded")
{
    const auto policy = parse(R"("docker":{"a.test":[
        {"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"},
        {"type":"signedBy","keyType":"GPGKeys","keyPaths":["/a","/b"],"signedIdentity":{"type":"exactReference","dockerReference":"x.test/y:1"}},
        {"type":"signedBy","keyType":"GPGKeys","keyData":"aGVsbG8=","signedIdentity":{"type":"remapIdentity","prefix":"a.test","signedPrefix":"b.test"}}]})");
    const auto demands = of(policy, "a.test/x");
    REQUIRE(demands.signatures.size() == 3);
    CHECK(demands.signatures[0].key_paths == std::vector<std::string>{"/k"});
    CHECK(demands.signatures[0].identity.match == Identity::Match::repository_and_tag);
    CHECK(demands.signatures[1].key_paths.size() == 2);
    CHECK(demands.signatures[1].identity.name == "x.test/y:1");
    CHECK(demands.signatures[2].key_data == "hello");
    CHECK(demands.signatures[2].identity.signed_prefix == "b.test");

    Rules rules{.are_unsigned_taken = true};
    apply(policy, DockerName::parse("a.test/x"), rules);
    CHECK_FALSE(rules.are_unsigned_taken); // what is demanded wins over what our configuration allows
    CHECK(rules.signed_by.size() == 3);
}

TEST_CASE("policy: what is refused names the file and the place")
{
    CHECK(error_of("{").starts_with("/x/policy.json is not valid JSON: line 1, column 2: "));
    CHECK(error_of("{}") == "/x/policy.json: policy has no \"default\"");
    CHECK(error_of(R"({"default":[]})") == "/x/policy.json: policy.default must have at least one requirement");
    CHECK(error_of(R"({"default":[{"type":"reject"}],"transport":{}})")
              .ends_with("has the member \"transport\", which is unknown"));
    const auto place = std::string{R"(/x/policy.json: policy.transports["docker"]["a.test"][0])"};
    CHECK(error_of_demand(R"({"type":"sigstoreSigned"})") ==
          place + ".type is \"sigstoreSigned\", which is no type of requirement that is known");
    CHECK(error_of_demand(R"({"type":"reject","x":1})") == place + " has the member \"x\", which is unknown");
    CHECK(error_of_demand(R"({"type":"signedBy","keyType":"X509","keyPath":"/k"})")
              .starts_with(place + ".keyType is \"X509\""));
    for (const char* keys : {"", R"(,"keyPath":"/a","keyData":"aGVsbG8=")", R"(,"keyPaths":[])"})
        CHECK(error_of_demand(fmt::format(R"({{"type":"signedBy","keyType":"GPGKeys"{}}})", keys)) ==
              place + " must have one of keyPath, keyPaths and keyData");
    CHECK(error_of_demand(R"({"type":"signedBy","keyType":"GPGKeys","keyPath":"k"})") ==
          place + ".keyPath must be an absolute path");
    CHECK(error_of_demand(R"({"type":"signedBy","keyType":"GPGKeys","keyPath":"/k","signedIdentity":{"type":"any"}})")
              .starts_with(place + ".signedIdentity.type is \"any\""));
}

TEST_CASE("policy: names that signatures may be for")
{
    const auto manifest = store::ContentDigest::of("x");
    using Match = Identity::Match;
    const auto fits = [&](const char* signed_name, const char* wanted, const Identity& identity) {
        try {
            check_claim({signed_name, manifest}, DockerName::parse(wanted), manifest, identity);
            return true;
        } catch (const Error&) {
            return false;
        }
    };
    const auto by_digest = "a.test/x@" + manifest.str();
    CHECK(fits("a.test/x:1", "a.test/x:1", {.match = Match::exact}));
    CHECK_FALSE(fits("a.test/x:1", by_digest.c_str(), {.match = Match::exact}));
    CHECK(fits("a.test/x:1", by_digest.c_str(), {}));
    CHECK_FALSE(fits("a.test/x:1", "a.test/x:2", {}));
    CHECK(fits("a.test/x:1", "a.test/x:2", {.match = Match::repository}));
    CHECK_FALSE(fits("a.test/x:1", "a.test/y:1", {.match = Match::repository}));
    CHECK(fits("b.test/y:1", "a.test/x:2", {.match = Match::exact_reference, .name = "b.test/y:1"}));
    CHECK_FALSE(fits("b.test/y:2", "a.test/x:2", {.match = Match::exact_reference, .name = "b.test/y:1"}));
    CHECK(fits("b.test/y:2", "a.test/x:2", {.match = Match::exact_repository, .name = "b.test/y"}));
    const Identity remap{.prefix = "mirror.test/b", .signed_prefix = "b.test"};
    CHECK(fits("b.test/y:1", "mirror.test/b/y:1", remap));
    CHECK_FALSE(fits("b.test/y:2", "mirror.test/b/y:1", remap));
    CHECK_FALSE(fits("b.testy/y:1", "mirror.test/by/y:1", remap));
    CHECK(fits("other.test/y:1", "other.test/y:1", remap));
}

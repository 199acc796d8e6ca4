// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/challenge.hh"

#include <doctest/doctest.h>

#include "stage0/oci/login.hh"

using namespace rocket;
using namespace rocket::oci;

TEST_CASE("challenges: schemes, quoted commas and escapes (OAUTH-1)")
{
    const auto found = parse_challenges(
        R"(BEARER Realm="https://auth.example/token",service="a, \"b\"", scope="repository:a/b:pull,push" , Basic realm=x)");
    REQUIRE(found.size() == 2);
    CHECK(found[0].scheme == "bearer");
    CHECK(found[0].parameters.at("realm") == "https://auth.example/token");
    CHECK(found[0].parameters.at("service") == "a, \"b\"");
    CHECK(found[0].parameters.at("scope") == "repository:a/b:pull,push");
    CHECK(found[1] == Challenge{"basic", {{"realm", "x"}}});
}

TEST_CASE("challenges: what is malformed is left out")
{
    CHECK(parse_challenges("").empty());
    CHECK(parse_challenges("=x").empty());
    CHECK(parse_challenges("realm=x").empty());
    CHECK(parse_challenges("Bearer realm=\"open").at(0).parameters.empty());
    CHECK(parse_challenges("Negotiate").at(0).scheme == "negotiate");
}

TEST_CASE("login files: by host in any of its spellings; the password begins behind the first colon (OAUTH-10)")
{
    const auto* text = R"({"auths":{"https://Example.com/v1/":{},"https://example.com/v1/":{"auth":"YTpiOmM="},
                                    "https://index.docker.io/v1/":{"auth":"dTpw"},"bad":{"auth":"!"},"no":{"auth":"YQ=="}}})";
    const auto login = login_in(text, "example.com");
    REQUIRE(login);
    CHECK(login->password->user == "a");
    CHECK(login->password->password.reveal() == "b:c");
    CHECK(basic_authorization(*login->password) == "Basic YTpiOmM=");
    CHECK(login_in(text, "registry-1.docker.io")->password->user == "u");
    for (const char* host : {"bad", "no", "example.com:443", "other"})
        CHECK_FALSE(login_in(text, host));
}

TEST_CASE("login files: a token for the token server instead of a password (OAUTH-5)")
{
    const auto login =
        login_in(R"({"auths":{"example.com":{"auth":"PHRva2VuPjo=","identitytoken":"t"}}})", "example.com");
    REQUIRE(login);
    CHECK(login->identity_token->reveal() == "t");
    CHECK_FALSE(login->password);
}

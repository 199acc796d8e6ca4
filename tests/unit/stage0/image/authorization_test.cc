// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/authorization.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::image;
using config::Secret;

namespace
{

std::string aws_signature(const char* url)
{
    const config::AwsAuth auth{"AKIAIOSFODNN7EXAMPLE", Secret{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, ""};
    const auto headers = aws_authorization(auth, "GET", fetch::Url::parse(url), "20130524T000000Z");
    const auto& value = headers.back().value;
    return value.substr(value.rfind('=') + 1);
}

} // namespace

TEST_CASE("cli 3.2: basic and bearer")
{
    const auto url = fetch::Url::parse("https://example.com/");
    CHECK(authorization(config::BasicAuth{"Aladdin", Secret{"open sesame"}}, "GET", url) ==
          fetch::Headers{{"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}});
    CHECK(authorization(config::OauthAuth{Secret{"t0ken"}}, "GET", url) ==
          fetch::Headers{{"Authorization", "Bearer t0ken"}});
    CHECK(basic_authorization({"", Secret{""}}).front().value == "Basic Og==");
}

TEST_CASE("AWS Signature Version 4: the examples of its manual")
{
    CHECK(aws_signature("https://examplebucket.s3.amazonaws.com/?lifecycle") ==
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    CHECK(aws_signature("https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2") ==
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("cli 3.2: the region that a host's name means")
{
    CHECK(aws_region_of("example.com") == "us-east-1");
    CHECK(aws_region_of("localhost") == "us-east-1");
    CHECK(aws_region_of("bucket.s3.amazonaws.com") == "us-east-1");
    CHECK(aws_region_of("bucket.s3-external-1.amazonaws.com") == "us-east-1");
    CHECK(aws_region_of("bucket.s3-eu-west-1.amazonaws.com") == "eu-west-1");
    CHECK(aws_region_of("bucket.s3.eu-central-1.amazonaws.com") == "eu-central-1");
    CHECK(aws_region_of("ec2.eu-central-1.amazonaws.com") == "us-east-1");
}

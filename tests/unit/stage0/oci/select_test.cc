// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/select.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "stage0/oci/users.hh"

using namespace rocket;
using namespace rocket::oci;

namespace
{

Descriptor entry(const std::string& architecture, const std::string& variant, char digit)
{
    return {.media_type = "application/vnd.oci.image.manifest.v1+json",
            .digest = store::ContentDigest::parse("sha256:" + std::string(64, digit)),
            .platform = Platform{.os = "linux", .architecture = architecture, .variant = variant}};
}

char chosen(const Index& index, const Platform& host)
{
    return select(index, host).front().digest.hex().front();
}

} // namespace

TEST_CASE("platforms: the best variant the host runs, in the order of preference (OIDX-4, OIDX-5)")
{
    const Index amd64{{entry("amd64", "v4", 'a'), entry("amd64", "", 'b'), entry("x86_64", "v2", 'c')}};
    CHECK(chosen(amd64, {"linux", "amd64", "v4"}) == 'a');
    CHECK(chosen(amd64, {"linux", "amd64", "v3"}) == 'c');
    CHECK(chosen(amd64, {"linux", "amd64", "v1"}) == 'b');
    const Index arm{{entry("arm", "v5", 'a'), entry("arm", "v6", 'b'), entry("arm", "", 'c')}};
    CHECK(chosen(arm, {"linux", "arm", "v7"}) == 'c');
    CHECK(chosen(arm, {"linux", "arm", "v6"}) == 'b');
    CHECK(chosen({{entry("aarch64", "v8", 'a')}}, {"linux", "arm64", ""}) == 'a');
    CHECK_THROWS_WITH_AS(
        select(arm, {"linux", "amd64", "v1"}),
        "the image is not there for linux/amd64/v1, but only for linux/arm/v5, linux/arm/v6, linux/arm", Error);
}

TEST_CASE("platforms: as users write them")
{
    CHECK(parse_platform("Linux/x86_64") == Platform{"linux", "amd64", ""});
    CHECK(parse_platform("linux/arm/6") == Platform{"linux", "arm", "v6"});
    CHECK(parse_platform("linux/arm64/v8") == Platform{"linux", "arm64", ""});
    CHECK(is_among_wanted({"linux", "arm", "v6"}, parse_platform("linux/arm")));
    CHECK_FALSE(is_among_wanted({"linux", "arm", "v7"}, parse_platform("linux/arm/v6")));
    for (const char* bad : {"", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d", "linux/amd64/"})
        CHECK_THROWS_AS(parse_platform(bad), Error);
}

TEST_CASE(
    "platforms: attestations and unknown types are no images; an entry that does not say is the last (OIDX-6, -7)")
{
    auto silent = entry("", "", 'a');
    silent.platform.reset();
    auto attestation = entry("amd64", "", 'b');
    attestation.annotations["vnd.docker.reference.type"] = "attestation-manifest";
    auto thing = entry("amd64", "", 'c');
    thing.media_type = "application/x-thing";
    CHECK(chosen({{silent, attestation, thing, entry("amd64", "", 'd')}}, {"linux", "amd64", "v1"}) == 'd');
    CHECK(chosen({{silent, attestation}}, {"linux", "amd64", "v1"}) == 'a');
    CHECK_THROWS_AS(select({{attestation, thing}}, {"linux", "amd64", "v1"}), Error);
}

TEST_CASE("documents: ambiguous ones and old ones are refused (OMT-7, OMT-10, ODIST-4)")
{
    constexpr auto manifest = "application/vnd.oci.image.manifest.v1+json";
    CHECK(document_kind(R"({"manifests":[]})", "") == MediaKind::index);
    CHECK(document_kind(R"({"config":{},"layers":[]})", manifest) == MediaKind::manifest);
    for (const char* text : {R"({"manifests":[],"layers":[]})", R"({"manifests":[],"config":{}})", R"({"fsLayers":[]})",
                             "{}", "[]", R"({"manifests":[],"mediaType":"application/vnd.oci.image.manifest.v1+json"})",
                             R"({"config":{},"mediaType":"application/vnd.oci.image.index.v1+json"})"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(document_kind(text, manifest), Error);
    }
}

TEST_CASE("users: digits are numbers even if passwd has such a name (OMAP-6)")
{
    const auto* passwd = "root:x:0:0::/:\n7:x:1000:1001::/:\nbad:x:-1:0::/:\n";
    CHECK(resolve_user("7", passwd, "") == User{"7", "0", {}});
    CHECK(resolve_user("1000", passwd, "g:x:5:7,other\nh:x:4:7\n") == User{"1000", "1001", {4, 5}});
    CHECK(resolve_user("nobody:nogroup", passwd, "") == User{"nobody", "nogroup", {}});
    CHECK(resolve_user("", passwd, "g:x:5:root\n") == User{"0", "0", {}});
}

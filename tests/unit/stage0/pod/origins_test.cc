// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/origins.hh"

#include <doctest/doctest.h>

#include <algorithm>

#include "stage0/pod/reify.hh"

using namespace rocket;
using namespace rocket::pod;

namespace
{

Image image()
{
    const std::string text = R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/web",
        "labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],
        "app":{"exec":["/bin/web"],"user":"0","group":"0","environment":[{"name":"A","value":"secret"},{"name":"B","value":"x"}],
               "mountPoints":[{"name":"data","path":"/data","readOnly":true}],
               "isolators":[{"name":"resource/memory","value":{"limit":"1G"}}]}})";
    return {.id = model::ImageId::parse("sha512-" + std::string(64, 'a')),
            .manifest = model::ImageManifest::parse(text),
            .manifest_text = text,
            .trees = {"/tree"}};
}

// "FROM: BY" of the piece.
std::string origin(const Origins& all, std::string_view what)
{
    const auto& list = all.at("web");
    const auto found = std::ranges::find(list, what, &Origin::what);
    return found == list.end() ? "" : found->from + (found->by.empty() ? "" : ": " + found->by);
}

std::string value(const Origins& all, std::string_view what)
{
    const auto& list = all.at("web");
    const auto found = std::ranges::find(list, what, &Origin::what);
    return found == list.end() ? "" : found->value;
}

} // namespace

TEST_CASE("origins: of each piece of an app, whether the image, a flag or nobody has said it")
{
    AppRequest app{.image = "x", .signature = ""};
    app.user = "1000";
    app.environment = {{.name = "B", .value = "y"}};
    app.replacing_isolators = {model::capabilities_isolator({model::CapabilitySet::Mode::retain, {"CAP_CHOWN"}})};
    app.annotations = {{.name = model::AcIdentifier::parse("rocket/health-cmd"), .value = "true"}};
    const PodRequest request{.apps = {app}, .set = {{.name = "C", .value = "z"}}};
    const std::vector<Image> images{image()};
    const auto all = origins_of(request, images, reify(request, images, 0, 0).manifest);
    CHECK(origin(all, "command") == "image");
    CHECK(origin(all, "user") == "flag: --user");
    CHECK(origin(all, "group") == "image");
    CHECK(origin(all, "root file system") == "default");
    CHECK(origin(all, "capabilities") == "flag: --caps-retain");
    CHECK(value(all, "capabilities") == "only CAP_CHOWN");
    CHECK(value(all, "memory") == "at most 1G");
    CHECK(value(all, "volume /data") == "a directory of the pod, read-only");
    CHECK(origin(all, "system calls") == "default");
    CHECK(origin(all, "memory") == "image: resource/memory");
    CHECK(origin(all, "cpu") == "default");
    CHECK(origin(all, "volume /data") == "image: mount point");
    CHECK(origin(all, "variable A") == "image");
    CHECK(origin(all, "variable B") == "flag: --environment");
    CHECK(origin(all, "variable C") == "flag: --set-env");
    CHECK(origin(all, "annotation rocket/health-cmd") == "flag: --health-cmd");
    CHECK(write(all).find("secret") == std::string::npos);
    CHECK(read_origins(write(all)) == all);
}

TEST_CASE("origins: with a pod manifest all is the manifest's, but for what nobody has said")
{
    const PodRequest request{.apps = {{.image = "x", .signature = ""}}};
    const auto manifest = reify(request, {image()}, 0, 0).manifest;
    const auto all = origins_of(manifest, "/m.json");
    CHECK(origin(all, "user") == "pod manifest: /m.json");
    CHECK(origin(all, "capabilities") == "default");
}

TEST_CASE("origins: what is not as it was written is refused")
{
    for (const char* bad : {"", "[]", "{\"a\":1}", "{\"a\":[{}]}", "{\"a\":[{\"what\":\"x\",\"from\":\"y\"}]}"})
        CHECK_THROWS_AS(read_origins(bad), Error);
}

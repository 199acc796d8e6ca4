// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "stage0/pod/reify.hh"

using namespace rocket;
using namespace rocket::pod;

namespace
{

const auto id = model::ImageId::parse("sha512-" + std::string(64, 'a'));

Image image(const std::string& app, const std::string& name = "example.com/web-server",
            const std::string& labels =
                R"({"name":"os","value":"linux"},{"name":"arch","value":"amd64"},{"name":"version","value":"1.0"})")
{
    const auto text = R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":")" + name + R"(","labels":[)" + labels +
                      "]" + (app.empty() ? "" : R"(,"app":)" + app) + "}";
    return {.id = id, .manifest = model::ImageManifest::parse(text), .manifest_text = text, .trees = {"/tree"}};
}

const char* const plain = R"({"exec":["/bin/web","-x"],"user":"0","group":"0",
    "environment":[{"name":"A","value":"image"},{"name":"B","value":"image"}],
    "isolators":[{"name":"resource/memory","value":{"limit":"1G"}}]})";

AppRequest request_for(const std::string& name)
{
    return {.image = name, .signature = ""};
}

Reified reify_one(AppRequest request, const Image& from)
{
    return reify(PodRequest{.apps = {std::move(request)}}, {from}, 0, 0);
}

} // namespace

TEST_CASE("reify: the image's app, named after the image, with its id, name and labels")
{
    const auto pod = reify_one(request_for("x"), image(plain)).manifest;
    REQUIRE(pod.apps.size() == 1);
    const auto& app = pod.apps[0];
    CHECK(app.name.str() == "web-server");
    CHECK(*app.image.id == id);
    CHECK(app.image.name->str() == "example.com/web-server");
    CHECK(*model::find(app.image.labels, "version") == "1.0");
    CHECK(app.app->exec == std::vector<std::string>{"/bin/web", "-x"});
    CHECK(pod.ac_version.str() == "0.8.11"); // of appc, not ours (Q23)
    CHECK(model::PodManifest::parse(pod.write()) == pod);
}

TEST_CASE("reify: --exec replaces the command line, arguments are appended to either")
{
    auto request = request_for("x");
    request.arguments = {"a", ""};
    CHECK(reify_one(request, image(plain)).manifest.apps[0].app->exec ==
          std::vector<std::string>{"/bin/web", "-x", "a", ""});
    request.exec = "/other";
    CHECK(reify_one(request, image(plain)).manifest.apps[0].app->exec == std::vector<std::string>{"/other", "a", ""});
}

TEST_CASE("reify: an image without app needs --exec and runs as the caller")
{
    CHECK_THROWS_AS(reify_one(request_for("x"), image("")), Error);
    auto request = request_for("x");
    request.exec = "/bin/sh";
    const auto pod = reify(PodRequest{.apps = {request}}, {image("")}, 12, 34).manifest;
    CHECK(pod.apps[0].app->user == "12");
    CHECK(pod.apps[0].app->group == "34");
}

TEST_CASE("reify: the environment in its documented order (Q22)")
{
    auto request = request_for("x");
    request.environment = {{.name = "E", .value = "app"}, {.name = "D", .value = "app"}};
    const PodRequest pod{
        .apps = {request},
        .inherited = {{.name = "A", .value = "caller"}, {.name = "F", .value = "caller"}},
        .file = {{.name = "B", .value = "file"}, {.name = "C", .value = "file"}, {.name = "E", .value = "file"}},
        .set = {{.name = "C", .value = "set"}, {.name = "D", .value = "set"}}};
    const auto reified = reify(pod, {image(plain)}, 0, 0);
    const auto& environment = reified.manifest.apps[0].app->environment;
    const auto value = [&](const char* name) { return *model::find(environment, name); };
    CHECK(value("A") == "image");
    CHECK(value("B") == "file");
    CHECK(value("C") == "set");
    CHECK(value("D") == "app");
    CHECK(value("E") == "app");
    CHECK(value("F") == "caller");
}

TEST_CASE("reify: overrides of identity, isolators and metadata")
{
    auto request = request_for("x");
    request.name = model::AppName::parse("db");
    request.user = "7";
    request.group = "/etc/passwd";
    request.working_directory = "/srv";
    request.supplementary_gids = {5};
    request.read_only_root_fs = true;
    request.user_labels = {{"k", "v"}};
    request.appended_isolators = {model::memory_isolator(model::Quantity::parse("16Mi"))};
    request.replacing_isolators = {model::oom_score_adj_isolator(5)};
    const auto app = reify_one(request, image(plain)).manifest.apps[0];
    CHECK(app.name.str() == "db");
    CHECK(app.read_only_root_fs);
    CHECK(app.app->user == "7");
    CHECK(app.app->group == "/etc/passwd");
    CHECK(app.app->working_directory == "/srv");
    CHECK(app.app->supplementary_gids == std::vector<std::uint32_t>{5});
    CHECK(app.app->user_labels.at("k") == "v");
    CHECK(app.app->isolators.memory()->limit->ceil_units() == 16 << 20); // the last one counts
    CHECK(app.app->isolators.oom_score_adj() == 5);
}

TEST_CASE("reify: what an override breaks is found (EFF-3)")
{
    auto request = request_for("x");
    request.working_directory = "relative";
    CHECK_THROWS_AS(reify_one(request, image(plain)), Error);
}

TEST_CASE("reify: two apps need two names")
{
    const PodRequest pod{.apps = {request_for("x"), request_for("x")}};
    CHECK_THROWS_WITH(reify(pod, {image(plain), image(plain)}, 0, 0), "error: multiple apps with name web-server");
}

TEST_CASE("reify: images say what they run on")
{
    CHECK_THROWS_WITH(reify_one(request_for("x"), image(plain, "a", R"({"name":"arch","value":"amd64"})")),
                      "missing os label in the image manifest");
    CHECK_THROWS_WITH(reify_one(request_for("x"), image(plain, "a", R"({"name":"os","value":"linux"})")),
                      "missing arch label in the image manifest");
}

TEST_CASE("reify: mount points get a mount of that path, a volume of that name, or a new empty volume (VOL-5)")
{
    const auto* with_points = R"({"exec":["/x"],"user":"0","group":"0","mountPoints":[
        {"name":"one","path":"/one"},{"name":"two","path":"/two/"},{"name":"three","path":"/three"}]})";
    auto request = request_for("x");
    request.mounts = {model::Mount::parse("volume=v,target=/one")};
    const PodRequest pod{
        .apps = {request},
        .volumes = {model::Volume::parse("v,kind=empty"), model::Volume::parse("two,kind=empty")},
        .mounts = {model::Mount::parse("volume=two,target=/one/"), model::Mount::parse("volume=v,target=/other")}};
    const auto [manifest, seeds, warnings] = reify(pod, {image(with_points)}, 0, 0);
    std::vector<std::string> mounts;
    for (const auto& mount : manifest.apps[0].mounts)
        mounts.push_back(mount.volume.str() + "=" + mount.path);
    CHECK(mounts == std::vector<std::string>{"v=/one", "v=/other", "two=/two/", "web-server-three=/three"});
    CHECK(manifest.volumes.size() == 3);
    CHECK(warnings.size() == 1);
    CHECK(seeds.empty()); // only converted images rely on it
    auto converted = image(with_points);
    converted.manifest.annotations.push_back(
        {.name = model::AcIdentifier::parse("appc.io/docker/imageid"), .value = "x"});
    const auto planted = reify(pod, {converted}, 0, 0).seeds;
    REQUIRE(planted.size() == 1); // not those that the user gave
    CHECK(planted[0].volume == "web-server-three");
    CHECK(planted[0].path == "/three");
}

TEST_CASE("reify: a pod manifest, its apps completed from their images and compared with them (POD-7)")
{
    const auto parse = [](const std::string& app) {
        return model::PodManifest::parse(R"({"acKind":"PodManifest","acVersion":"0.8.10","apps":[{"name":"a",)" + app +
                                         "}]}");
    };
    const std::string image_ref = R"("image":{"id":")" + id.str() + "\"";
    const auto pod = reify(parse(image_ref + "}"), {image(plain)}).manifest;
    CHECK(pod.apps[0].app->exec[0] == "/bin/web");
    CHECK(pod.ac_version.str() == "0.8.10");

    const auto replaced = reify(parse(image_ref + R"(},"app":{"exec":["/y"],"user":"1","group":"1"})"), {image(plain)});
    CHECK(replaced.manifest.apps[0].app->exec == std::vector<std::string>{"/y"}); // as a whole (EFF-1)
    CHECK(replaced.manifest.apps[0].app->environment.empty());

    CHECK_THROWS_AS(reify(parse(image_ref + R"(,"name":"example.com/other"})"), {image(plain)}), Error);
    CHECK_THROWS_AS(reify(parse(image_ref + R"(,"labels":[{"name":"version","value":"2"}]})"), {image(plain)}), Error);
    CHECK_THROWS_AS(reify(parse(image_ref + "}"), {image("")}), Error);
}

TEST_CASE("reify: one more app for a pod; its arguments replace all but the executable")
{
    const auto pod = reify_one(request_for("x"), image(plain)).manifest;
    auto request = request_for("y");
    request.name = model::AppName::parse("more");
    request.arguments = {"only"};
    const char* const with_data = R"({"exec":["/bin/web","-x"],"user":"0","group":"0",
        "mountPoints":[{"name":"data","path":"/data"}]})";
    const auto more = reify_added(pod, request, image(with_data), 0, 0).manifest;
    REQUIRE(more.apps.size() == 2);
    CHECK(more.apps[0] == pod.apps[0]);
    CHECK(more.apps[1].app->exec == std::vector<std::string>{"/bin/web", "only"});
    CHECK(more.volumes.empty()); // what it has goes with it
    REQUIRE(more.apps[1].mounts.size() == 1);
    CHECK(more.apps[1].mounts[0].app_volume);

    request.name = model::AppName::parse("web-server");
    CHECK_THROWS_WITH(reify_added(pod, request, image(plain), 0, 0), "error: multiple apps with name web-server");
}

// SPDX-License-Identifier: Apache-2.0
#include "common/model/image_manifest.hh"

#include "support.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

// A small valid manifest whose app ends with `more`.
std::string with_app(std::string_view more)
{
    return R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"user":"0","group":"0")" +
           std::string{more} + "}}";
}

std::string with(std::string_view more)
{
    return R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"a")" + std::string{more} + "}";
}

struct Bad {
    std::string text;
    const char* words;
};

void check_all(std::initializer_list<Bad> cases)
{
    for (const auto& bad : cases) {
        CAPTURE(bad.text);
        check_refused([&] { ImageManifest::parse(bad.text); }, bad.words);
    }
}

} // namespace

TEST_CASE("image manifest: every field")
{
    const auto image = ImageManifest::parse(data_file("image-full.json"));
    CHECK(image.name == "example.com/store/orders");
    CHECK(*find(image.labels, "version") == "2.3.1");
    REQUIRE(image.app);
    const auto& app = *image.app;
    CHECK(app.exec == std::vector<std::string>{"orders-server", "--listen=:8080"});
    CHECK(app.supplementary_gids == std::vector<std::uint32_t>{44, 1001});
    CHECK(app.handler(EventHandler::Event::post_stop)->exec.back() == "-q");
    CHECK(app.working_directory == "/opt/orders");
    CHECK(*find(app.environment, "ORDERS_MODE") == "prod");
    CHECK(app.mount_points[1].read_only);
    CHECK(app.ports[0].socket_activated);
    CHECK(app.ports[1].count == 100);
    CHECK(app.isolators.memory()->limit->ceil_units() == 536870912);
    CHECK(app.user_annotations.at("any key!") == "any value");
    CHECK(app.user_labels.at("tier") == "web");
    CHECK(image.dependencies[0].size == 1048576);
    CHECK(image.path_whitelist.size() == 3);
    CHECK_FALSE(image.supports_systemd_notify());
}

TEST_CASE("image manifest: written as it should look (RT-4..6)")
{
    const auto image = ImageManifest::parse(data_file("image-full.json"));
    const auto text = image.write(json::Style::four_blanks);
    CHECK(text + "\n" == data_file("image-full.emitted.json"));
    CHECK(ImageManifest::parse(text) == image);
    CHECK(ImageManifest::parse(text).write(json::Style::four_blanks) == text);
}

TEST_CASE("image manifest: an edit keeps what we do not know, at its place (RT-2, RT-3)")
{
    auto image = ImageManifest::parse(data_file("image-unknown.json"));
    set(image.labels, AcIdentifier::parse("version"), "2");
    set(image.labels, AcIdentifier::parse("channel"), "beta");
    CHECK(image.app->supplementary_gids == std::vector<std::uint32_t>{44}); // JSON-5, APP-8
    image.app->exec.push_back("-v");
    image.app->user = "7";
    image.app->supplementary_gids.clear();
    image.app->working_directory = "/state";
    CHECK(image.write(json::Style::four_blanks) + "\n" == data_file("image-unknown.edited.json"));
}

TEST_CASE("image manifest: one that is built from nothing is in the order of the specification (RT-5)")
{
    ImageManifest image{.name = AcIdentifier::parse("a")};
    CHECK(image.write() == R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"a"})");
    image.app = App{.exec = {"/a"}, .user = "0", .group = "0", .working_directory = "/w"};
    image.app->event_handlers.push_back({EventHandler::Event::pre_start, {}});
    image.dependencies.push_back({.image_name = AcIdentifier::parse("b")});
    set(image.annotations, AcIdentifier::parse("c"), "d");
    CHECK(image.write() ==
          R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"exec":["/a"],)"
          R"("eventHandlers":[{"name":"pre-start","exec":[]}],"user":"0","group":"0","workingDirectory":"/w"},)"
          R"("annotations":[{"name":"c","value":"d"}],"dependencies":[{"imageName":"b"}]})");
}

TEST_CASE("image manifest: nothing invalid is given out (RT-7, EFF-3)")
{
    auto image = ImageManifest::parse(with_app(""));
    image.app->working_directory = "relative";
    check_refused([&] { image.write(); }, "image.app.workingDirectory must be an absolute path");
    check_refused([&] { check(*image.app, "app \"web\""); }, "app \"web\".workingDirectory must be an absolute path");
    image.app->working_directory = "/";
    image.app->exec = {std::string{"a\0b", 3}};
    check_refused([&] { image.write(); }, "image.app.exec[0] contains a NUL character");
    image.app->exec = {"\xff"};
    check_refused([&] { image.write(); }, "image.app.exec[0] is not valid UTF-8");
}

TEST_CASE("image manifest: kind, version and name (chapter 21)")
{
    const auto head = [](const char* kind, const char* version, const char* name) {
        return fmt::format(R"({{"acKind":{},"acVersion":{},"name":{}}})", kind, version, name);
    };
    const char *kind = R"("ImageManifest")", *version = R"("0.8.11")", *name = R"("a")";
    CHECK_NOTHROW(ImageManifest::parse(head(kind, version, name)));
    CHECK_NOTHROW(ImageManifest::parse(head(kind, R"("0.9.0+x")", name)));
    check_all({
        {head("\"\"", version, name), "image.acKind is empty"},
        {head("null", version, name), "image has no \"acKind\""},
        {head(R"("imagemanifest")", version, name), "must be \"ImageManifest\", not \"imagemanifest\""},
        {head(R"("PodManifest")", version, name), "image.acKind must be \"ImageManifest\", not \"PodManifest\""},
        {head("1", version, name), "image.acKind must be a string, not a number"},
        {head(kind, "null", name), "image has no \"acVersion\""},
        {head(kind, "\"\"", name), "image.acVersion is empty"},
        {head(kind, R"("0.0.0")", name), "it cannot be zero"},
        {head(kind, R"("1")", name), "image.acVersion: \"1\" is not a valid version"},
        {head(kind, R"("v1.2.3")", name), "is not a valid version"},
        {head(kind, R"("1.0.0")", name), "image.acVersion: version 1.0.0 of the specification is too new"},
        {head(kind, version, "null"), "image has no \"name\""},
        {head(kind, version, "\"\""), "image.name is empty"},
        {head(kind, version, R"("A")"), "image.name: \"A\" is not a valid name"},
        {head(kind, version, R"("a"},)"), "is not valid JSON"},
        {"[]", "image must be an object, not a list"},
        {"", "image manifest is not valid JSON"},
    });
}

TEST_CASE("image manifest: without an app it is valid (IM-4)")
{
    CHECK_FALSE(ImageManifest::parse(with(R"(,"app":null,"labels":null,"dependencies":null)")).app);
    CHECK(ImageManifest::parse(with_app("")).app->exec.empty());
    CHECK(ImageManifest::parse(with_app(R"(,"exec":null)")).app->exec.empty());
    CHECK(ImageManifest::parse(
              with(R"(,"annotations":[{"name":"appc.io/executor/supports-systemd-notify","value":"true"}])"))
              .supports_systemd_notify());
}

TEST_CASE("image manifest: apps that are refused (chapter 21)")
{
    check_all({
        {with(R"(,"app":{"group":"0"})"), "image.app has no \"user\""},
        {with(R"(,"app":{"user":"0"})"), "image.app has no \"group\""},
        {with(R"(,"app":{"user":"","group":"0"})"), "image.app.user is empty"},
        {with(R"(,"app":{"user":0,"group":"0"})"), "image.app.user must be a string, not a number"},
        {with_app(R"(,"exec":"/bin/sh")"), "image.app.exec must be a list, not a string"},
        {with_app(R"(,"exec":["a",1])"), "image.app.exec[1] must be a string"},
        {with_app(R"(,"workingDirectory":"stuff")"), "image.app.workingDirectory must be an absolute path"},
        {with_app(R"(,"workingDirectory":"../home/fred")"), "must be an absolute path"},
        {with_app(R"(,"supplementaryGIDs":[-1])"), "image.app.supplementaryGIDs[0] must be an integer from 0"},
        {with_app(R"(,"supplementaryGIDs":[4294967295])"), "must be an integer from 0 to 4294967294"},
        {with_app(R"(,"supplementaryGIDs":["1"])"), "must be an integer, not a string"},
        {with_app(R"(,"eventHandlers":[{"name":"pre-stop","exec":["a"]}])"), "must be \"pre-start\" or \"post-stop\""},
        {with_app(R"(,"eventHandlers":[{"name":"","exec":["a"]}])"), "eventHandlers[0].name is empty"},
        {with_app(R"(,"eventHandlers":[{"name":"pre-start"},{"name":"pre-start"}])"), "there is another \"pre-start\""},
        {with_app(R"(,"environment":[{"name":""}])"),
         "environment[0].name: the name of an environment variable cannot"},
        {with_app(R"(,"environment":[{"name":"A"},{"name":"A"}])"), "environment[1]: there is another \"A\""},
        {with_app(R"(,"environment":[{"name":"A","value":1}])"), "environment[0].value must be a string"},
        {with_app(R"(,"mountPoints":[{"name":"a","path":"/a"},{"name":"a","path":"/b"}])"), "there is another \"a\""},
        {with_app(R"(,"mountPoints":[{"name":"a","path":"/a"},{"name":"b","path":"//a/."}])"), "another with the path"},
        {with_app(R"(,"ports":[{"name":"a","protocol":"tcp","port":1},{"name":"a","protocol":"udp","port":1}])"),
         "image.app.ports[1]: there is another \"a\""},
        {with_app(R"(,"isolators":[{"name":"os/linux/cpu-shares","value":1}])"), "image.app.isolators[0] (os/linux"},
        {with_app(R"(,"userAnnotations":{"a":1})"), "image.app.userAnnotations[\"a\"] must be a string"},
        {with_app(R"(,"userLabels":[])"), "image.app.userLabels must be an object, not a list"},
    });
}

TEST_CASE("environment: names (APP-16)")
{
    for (const char* good : {"DEBUG", "_0_DEBUG_0_", "DEBUG.0", "DEBUG-0", "a"})
        CHECK_NOTHROW(check_environment_name(good));
    for (const char* bad : {"", "0DEBUG", "VERBOSE|DEBUG", "A B", ".A", "-A", "A=B"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(check_environment_name(bad), Error);
    }
    Environment environment{{"A", "1"}};
    set(environment, "A", "2");
    set(environment, "B", "3");
    CHECK(environment == Environment{{"A", "2"}, {"B", "3"}});
}

TEST_CASE("image manifest: dependencies and annotations (chapter 21)")
{
    const auto dependency = [](std::string_view more) {
        return with(fmt::format(R"(,"dependencies":[{{{}}}])", more));
    };
    const std::string digest(128, 'a');
    const auto good = ImageManifest::parse(dependency(R"("imageName":"b","imageID":"sha512-)" + digest + "\""));
    CHECK(good.dependencies[0].image_id->digest() == "sha512-" + digest);
    check_all({
        {dependency(R"("labels":[])"), "image.dependencies[0] has no \"imageName\""},
        {dependency(R"("imageName":"b","imageID":"sha256-)" + digest + "\""), "dependencies[0].imageID: "},
        {dependency(R"("imageName":"b","imageID":"")"), "is not a valid image ID"},
        {dependency(R"("imageName":"b","size":-1)"), "dependencies[0].size must be an integer from 0"},
        {dependency(R"("imageName":"b","size":1.5)"), "dependencies[0].size must be an integer"},
        {dependency(R"("imageName":"b","labels":[{"name":"name","value":"x"}])"), "cannot be called \"name\""},
        {with(R"(,"annotations":[{"name":"a","value":"1"},{"name":"a","value":"2"}])"), "there is another \"a\""},
        {with(R"(,"annotations":[{"name":"created","value":"now"}])"), "image.annotations[0]: annotation \"created\""},
        {with(R"(,"labels":[{"name":"os","value":"OS/360"}])"), "image.labels[0]: os \"OS/360\" is not known"},
        {with(R"(,"pathWhitelist":[1])"), "image.pathWhitelist[0] must be a string"},
    });
}

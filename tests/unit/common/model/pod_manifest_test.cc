// SPDX-License-Identifier: Apache-2.0
#include "common/model/pod_manifest.hh"

#include "common/model/last_ditch.hh"
#include "support.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

std::string with(std::string_view more)
{
    return R"({"acVersion":"0.8.11","acKind":"PodManifest")" + std::string{more} + "}";
}

struct Bad {
    std::string text;
    const char* words;
};

// A pod that can be executed: two apps, "one" with a mount point and a port.
PodManifest reified()
{
    const auto id = ImageId::parse("sha512-" + std::string(128, 'a'));
    App app{.exec = {"/a"}, .user = "0", .group = "0"};
    PodManifest pod;
    pod.apps.push_back({.name = AppName::parse("two"), .image = {.id = id}, .app = app});
    app.mount_points.push_back(MountPoint::parse("data,path=/data"));
    app.ports.push_back(Port::parse("http,protocol=tcp,port=80,count=2"));
    pod.apps.push_back({.name = AppName::parse("one"), .image = {.id = id}, .app = app});
    pod.apps.back().mounts.push_back(Mount::parse("volume=data,target=/data/"));
    pod.volumes.push_back(Volume::parse("data,kind=empty"));
    pod.ports.push_back(ExposedPort::parse("http:8080"));
    return pod;
}

template <typename Edit>
void check_not_reified(Edit edit, std::string_view words)
{
    auto pod = reified();
    edit(pod);
    check_refused([&] { check_reified(pod); }, words, Error::Kind::usage);
}

} // namespace

TEST_CASE("pod manifest: every field")
{
    const auto pod = PodManifest::parse(data_file("pod-full.json"));
    REQUIRE(pod.apps.size() == 2);
    CHECK(pod.apps[0].image.id->is_full());
    CHECK(*pod.apps[0].image.name == AcIdentifier::parse("example.com/store/orders"));
    CHECK(pod.apps[0].read_only_root_fs);
    CHECK(*find(pod.apps[0].annotations, "example.com/owner") == "team-a");
    CHECK(pod.find_app(AppName::parse("proxy"))->app->isolators.cpu()->limit->ceil_milli() == 500);
    CHECK(pod.apps[1].mounts[0].app_volume->mode == 01777);
    CHECK(pod.find_volume(VolumeName::parse("certs"))->recursive == false);
    CHECK(pod.isolators.sysctls().size() == 1);
    CHECK(pod.isolators.out_of_scope(Scope::pod).empty());
    CHECK(pod.ports[2].pod_port->port == 6060);
    CHECK(pod.find_app(AppName::parse("nobody")) == nullptr);
}

TEST_CASE("pod manifest: written as it should look (RT-4..6)")
{
    const auto pod = PodManifest::parse(data_file("pod-full.json"));
    const auto text = pod.write(json::Style::tabs);
    CHECK(text + "\n" == data_file("pod-full.emitted.json"));
    CHECK(PodManifest::parse(text) == pod);
    CHECK(PodManifest::parse(text).write(json::Style::tabs) == text);
    CHECK(
        PodManifest{}.write() ==
        R"({"acVersion":"0.8.11","acKind":"PodManifest","apps":[],"volumes":[],"isolators":[],"annotations":[],"ports":[]})");
}

TEST_CASE("pod manifest: what others write for empty lists is read (RT-6)")
{
    const auto pod = PodManifest::parse(
        with(R"(,"apps":null,"volumes":null,"isolators":null,"annotations":null,"ports":null,"userLabels":null)"));
    CHECK(pod == PodManifest{});
}

TEST_CASE("pod manifest: a template needs no ids (POD-4)")
{
    const auto pod = PodManifest::parse(
        with(R"(,"apps":[{"name":"a","image":{"name":"b","labels":[{"name":"version","value":"1"}]},)"
             R"("mounts":[{"volume":"late","path":"/x"}]}])"));
    CHECK_FALSE(pod.apps[0].image.id);
}

TEST_CASE("pod manifest: the version that rkt wrote into its pods is no obstacle (cli Q23)")
{
    const auto pod = PodManifest::parse(R"({"acVersion":"1.30.0","acKind":"PodManifest","apps":[]})");
    CHECK(pod.ac_version.str() == "0.8.11");
}

TEST_CASE("pod manifest: what is refused (chapter 21)")
{
    const auto app = [](std::string_view more) { return with(fmt::format(R"(,"apps":[{{{}}}])", more)); };
    const std::initializer_list<Bad> cases = {
        {R"({"acVersion":"0.8.11","apps":[]})", "pod has no \"acKind\""},
        {R"({"acVersion":"0.8.11","acKind":"ImageManifest","apps":[]})", "pod.acKind must be \"PodManifest\""},
        {R"({"acKind":"PodManifest","apps":[]})", "pod has no \"acVersion\""},
        {R"({"acKind":"PodManifest","acVersion":"1","apps":[]})", "pod.acVersion: \"1\" is not a valid version"},
        {with(""), "pod has no \"apps\""},
        {with(R"(,"apps":{})"), "pod.apps must be a list"},
        {with(R"(,"apps":[{"name":"a","image":{}},{"name":"b"}])"), "pod.apps[1] has no \"image\""},
        {with(R"(,"apps":[{"name":"a","image":{}},{"name":"a","image":{}}])"), "pod.apps[1]: there is another \"a\""},
        {app(R"("image":{})"), "pod.apps[0] has no \"name\""},
        {app(R"("name":"","image":{})"), "pod.apps[0].name is empty"},
        {app(R"("name":"a.b","image":{})"), "pod.apps[0].name: \"a.b\" is not a valid name"},
        {app(R"("name":"a","image":{"id":"sha512-xyz"})"),
         "pod.apps[0].image.id: \"sha512-xyz\" is not a valid image ID"},
        {app(R"("name":"a","image":{"id":"sha512-abc"})"), "it has 3 hex digits instead of 128 or 64"},
        {app(R"("name":"a","image":{"name":"B"})"), "pod.apps[0].image.name: \"B\""},
        {app(R"("name":"a","image":{},"app":{"exec":[]})"), "pod.apps[0].app has no \"user\""},
        {app(R"("name":"a","image":{},"readOnlyRootFS":1)"), "readOnlyRootFS must be true or false"},
        {app(R"("name":"a","image":{},"mounts":[{"volume":"v"}])"), "pod.apps[0].mounts[0] has no \"path\""},
        {app(R"("name":"a","image":{},"annotations":[{"name":"homepage","value":"x"}])"), "pod.apps[0].annotations[0]"},
        {with(R"(,"apps":[],"volumes":[{"name":"v","kind":"empty"},{"name":"v","kind":"empty"}])"),
         "pod.volumes[1]: there is another \"v\""},
        {with(R"(,"apps":[],"volumes":[{"name":"v","kind":"host"}])"), "pod.volumes[0]: source for host volume"},
        {with(R"(,"apps":[],"ports":[{"name":"p","hostPort":1,"hostIP":"x"}])"),
         "pod.ports[0].hostIP must be an IP address"},
        {with(R"(,"apps":[],"isolators":[{"name":"os/unix/sysctl","value":{"a":1}}])"),
         "pod.isolators[0] (os/unix/sys"},
        {with(R"(,"apps":[],"userLabels":{"a":null})"), "pod.userLabels[\"a\"] must be a string, not null"},
    };
    for (const auto& bad : cases) {
        CAPTURE(bad.text);
        check_refused([&] { PodManifest::parse(bad.text); }, bad.words);
    }
}

TEST_CASE("pod manifest: no more apps than 256 (R16)")
{
    std::string apps;
    for (int i = 0; i < 257; ++i)
        apps += fmt::format(R"({}{{"name":"a{}","image":{{}}}})", i == 0 ? "" : ",", i);
    check_refused([&] { PodManifest::parse(with(",\"apps\":[" + apps + "]")); }, "has 257 entries, the limit is 256");
}

TEST_CASE("reified pods: everything resolves (POD-5)")
{
    CHECK_NOTHROW(check_reified(reified()));
    CHECK_NOTHROW(PodManifest::parse(reified().write()));
    check_not_reified([](PodManifest& pod) { pod.apps.clear(); }, "pod must contain at least one application");
    check_not_reified([](PodManifest& pod) { pod.apps[1].image.id.reset(); }, "no image ID for app \"one\"");
    check_not_reified([](PodManifest& pod) { pod.apps[1].app.reset(); }, "no app section for app \"one\"");
    check_not_reified([](PodManifest& pod) { pod.volumes.clear(); },
                      "dangling mount point \"/data/\": volume \"data\" not found");
    check_not_reified([](PodManifest& pod) { pod.apps[1].mounts.clear(); },
                      "app \"one\": nothing is mounted at mount point \"data\" (\"/data\")");
    auto own = reified();
    own.volumes.clear();
    own.apps[1].mounts[0].app_volume = Volume::parse("data,kind=host,source=/x");
    CHECK_NOTHROW(check_reified(own));
    CHECK(volume_of(own, own.apps[1].mounts[0]).source == "/x");
}

TEST_CASE("reified pods: mounts do not overlap (VOL-13)")
{
    const auto add = [](const char* mount) {
        return [mount](PodManifest& pod) { pod.apps[1].mounts.push_back(Mount::parse(mount)); };
    };
    check_not_reified(add("volume=data,target=/data/deep"),
                      "app \"one\" has overlapping mounts: \"/data\" and \"/data/deep\"");
    check_not_reified(add("volume=data,target=/x/../data"), "has overlapping mounts");
    auto pod = reified();
    add("volume=data,target=/database")(pod);
    CHECK_NOTHROW(check_reified(pod));
}

TEST_CASE("reified pods: ports lead somewhere and do not meet (POD-12, POD-14, POD-16)")
{
    const auto add = [](const char* port) {
        return [port](PodManifest& pod) { pod.ports.push_back(ExposedPort::parse(port)); };
    };
    check_not_reified(add("nope:1"), "port name \"nope\" could not be found in any apps");
    check_not_reified([](PodManifest& pod) { pod.apps[0].app->ports = pod.apps[1].app->ports; },
                      "port name \"http\" defined multiple apps");
    check_not_reified(add("http:8080"), "port tcp-0.0.0.0:8080 already mapped to pod port 80");
    check_not_reified(add("http:8081"), "port tcp-0.0.0.0:8081 already mapped to pod port 80"); // a range of two
    check_not_reified(add("http:192.0.2.1:8079"), "port tcp-192.0.2.1:8079 already mapped");
    check_not_reified(add("http:65535"), "the host's ports end at 65535");
    auto pod = reified();
    pod.ports[0].host_ip = "192.0.2.1";
    add("http:192.0.2.2:8080")(pod);
    add("http:8082")(pod);
    pod.ports.push_back(ExposedPort::parse("dns:8080"));
    pod.ports.back().pod_port = Port::parse("dns,protocol=udp,port=53");
    CHECK_NOTHROW(check_reified(pod));
}

TEST_CASE("last ditch: names out of a broken manifest (RT-8)")
{
    const auto pod = last_ditch_pod(with(
        R"(,"apps":[{"name":"A!","image":{"id":"x","name":"Y","labels":[{"name":"version","value":"1"}]},"mounts":7},{"image":1},3])"));
    REQUIRE(pod.apps.size() == 3);
    CHECK(pod.apps[0].name == "A!");
    CHECK(pod.apps[0].image_id == "x");
    CHECK(pod.apps[0].image_name == "Y");
    CHECK(pod.apps[0].labels.at("version") == "1");
    CHECK(pod.apps[1].name.empty());
    const auto image = last_ditch_image(
        R"({"acKind":"ImageManifest","name":"B","acVersion":"x","labels":[{"name":"V","value":"1"},{"name":3}],"app":1})");
    CHECK(image.name == "B");
    CHECK(image.ac_version == "x");
    CHECK(image.labels.at("V") == "1");
    CHECK(image.labels.size() == 1);
    check_refused([] { last_ditch_pod("{"); }, "is not valid JSON");
    check_refused([] { last_ditch_image(with("")); }, "must be \"ImageManifest\"");
}

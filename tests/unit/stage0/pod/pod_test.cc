// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "common/sys/file.hh"
#include "stage0/pod/gc.hh"
#include "stage0/pod/new_pod.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/pod/remove_pod.hh"
#include "stage0/pod/wait.hh"
#include "stage0/store/copy_tree.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::pod;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace
{

void put(const std::string& path, const std::string& content)
{
    fs::create_directories(fs::path{path}.parent_path());
    std::ofstream{path} << content;
}

// A data directory, an image tree and a stage1 that does nothing.
struct Fixture {
    Scratch scratch;
    model::Layout layout{scratch.path() + "/data"};
    Stage1Image stage1{scratch.path() + "/stage1/rootfs",
                       R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"stage1"})"};
    std::vector<Image> images;
    model::PodManifest manifest;

    Fixture()
    {
        const std::string text =
            R"({"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a","labels":[{"name":"version","value":"1"}]})";
        put(scratch.path() + "/tree/etc/file", "content");
        images.push_back({.id = model::ImageId::parse("sha512-" + std::string(64, 'b')),
                          .manifest = model::ImageManifest::parse(text),
                          .manifest_text = text,
                          .trees = {scratch.path() + "/tree"}});
        manifest.apps.push_back(
            {.name = model::AppName::parse("a"),
             .image = {.name = images[0].manifest.name, .id = images[0].id, .labels = images[0].manifest.labels},
             .app = model::App{.exec = {"/x"}, .user = "0", .group = "0"}});
    }

    OwnedPod make(PodStage stage, bool overlay = true, std::vector<Seed> seeds = {})
    {
        NewPod pod{layout, [] {}};
        pod.fill({manifest, images, stage1, overlay, false, std::move(seeds)});
        return std::move(pod).publish(stage);
    }

    State state(const PodId& id)
    {
        const auto pod = Pod::open(layout, id);
        return pod ? pod->state() : State::gone;
    }

    std::vector<std::string> problems;
    void gc(GcOptions options = {})
    {
        collect_garbage(layout, options,
                        {.grace_period = "",
                         .note = [](const std::string&) {},
                         .deleting = [](const PodId&) {},
                         .problem = [this](const PodId&, const Error& error) { problems.emplace_back(error.what()); }});
    }
};

} // namespace

TEST_CASE("pod: published with everything in it, its state from place and lock")
{
    Fixture f;
    std::optional<PodId> id;
    {
        const auto owned = f.make(PodStage::prepared);
        id = owned.pod.id();
        CHECK(f.state(*id) == State::prepared);
        const auto path = f.layout.pod(PodStage::prepared, *id);
        for (const char* name :
             {"pod", "runtime.json", "stage1/manifest", "apps/a/manifest", "apps/a/upper", "apps/a/work"})
            CHECK(fs::exists(path + "/" + name));
        const auto info = read_info(owned.pod, Detail::full);
        CHECK(info.apps.at(0).state == "created");
        CHECK(image_name(info.apps.at(0).app.image) == "example.com/a:1");
        CHECK(info.created);
        CHECK_FALSE(info.started);
    }
    CHECK(Scratch::names_in(f.layout.pods(PodStage::prepare)).empty());
    CHECK(Scratch::names_in(f.layout.pods(PodStage::embryo)).empty());
}

TEST_CASE("pod: the lock makes it running; without it it has exited")
{
    Fixture f;
    std::optional<OwnedPod> owned = f.make(PodStage::run);
    const auto id = owned->pod.id();
    CHECK(f.state(id) == State::running);
    owned.reset();
    CHECK(f.state(id) == State::exited);
}

TEST_CASE("pod: when preparing fails nothing is left")
{
    Fixture f;
    f.images[0].trees = {"/nonexistent"};
    CHECK_THROWS_AS(f.make(PodStage::prepared), Error);
    for (const auto stage : model::pod_stages)
        CHECK(Scratch::names_in(f.layout.pods(stage)).empty());
    CHECK(Scratch::names_in(f.layout.garbage()).empty());
}

TEST_CASE("pod: found by any unambiguous prefix")
{
    Fixture f;
    const auto one = f.make(PodStage::prepared).pod.id();
    CHECK(find(f.layout, one.str().substr(0, 8)).id() == one);
    CHECK(find_to_end(f.layout, one.str().substr(0, 4)).id() == one);
    CHECK_THROWS_WITH(find_to_end(f.layout, one.str().substr(0, 3)), doctest::Contains("is too short to end a pod by"));
    CHECK_THROWS_WITH(find_to_end(f.layout, ""), "UUID cannot be empty");
    CHECK_THROWS_WITH(find(f.layout, ""), "UUID cannot be empty");
    CHECK_THROWS_WITH(find(f.layout, "xyz"), R"(no matches found for "xyz")");
    for (int i = 0; i < 16; ++i) // two of seventeen begin with the same digit
        f.make(PodStage::prepared);
    std::size_t ambiguous = 0;
    for (const char digit : std::string{"0123456789abcdef"})
        try {
            find(f.layout, std::string{digit});
        } catch (const Error& error) {
            ambiguous += std::string_view{error.what()}.starts_with("ambiguous uuid, ") ? 1 : 0;
        }
    CHECK(ambiguous > 0);
}

TEST_CASE("pod: removal leaves nothing, not even in garbage")
{
    Fixture f;
    auto owned = f.make(PodStage::prepared);
    const auto id = owned.pod.id();
    remove_owned(std::move(owned));
    CHECK(f.state(id) == State::gone);
    CHECK(Scratch::names_in(f.layout.garbage()).empty());
}

TEST_CASE("pod: nobody can own what somebody else owns")
{
    Fixture f;
    const auto owned = f.make(PodStage::run);
    CHECK_FALSE(try_own(std::move(*Pod::open(f.layout, owned.pod.id()))));
}

TEST_CASE("gc: marks what has ended, keeps it for the grace period, then deletes it")
{
    Fixture f;
    const auto id = f.make(PodStage::run).pod.id();
    f.gc({.mark_only = true});
    CHECK(f.state(id) == State::exited_garbage);
    f.gc();
    CHECK(f.state(id) == State::exited_garbage);
    CHECK(f.problems.empty());
    f.gc({.grace_period = 0s});
    CHECK(f.state(id) == State::gone);
    CHECK(f.problems.size() == 1); // this stage1 has no gc entry point: said, and not in the way
}

TEST_CASE("gc: never touches what is owned")
{
    Fixture f;
    const auto running = f.make(PodStage::run);
    const auto prepared = f.make(PodStage::prepared);
    f.gc({.grace_period = 0s, .expire_prepared = 0s});
    CHECK(f.state(running.pod.id()) == State::running);
    CHECK(f.state(prepared.pod.id()) == State::prepared);
}

TEST_CASE("gc: finishes what killed commands have left")
{
    Fixture f;
    const auto expired = f.make(PodStage::prepared).pod.id();
    const auto kept = f.make(PodStage::run);
    const auto embryo = PodId::random(), failed = PodId::random();
    fs::create_directories(f.layout.pod(PodStage::embryo, embryo));
    put(f.layout.pod(PodStage::prepare, failed) + "/apps/x/half", "");
    put(f.layout.garbage() + "/pod-0123/deep/er", "");
    f.gc({.expire_prepared = 0s});
    for (const auto& id : {expired, embryo, failed})
        CHECK(f.state(id) == State::gone);
    CHECK(Scratch::names_in(f.layout.garbage()).empty());
    CHECK(f.state(kept.pod.id()) == State::running);
}

TEST_CASE("wait: until the owner lets go, or the deadline")
{
    Fixture f;
    std::optional<OwnedPod> owned = f.make(PodStage::run);
    auto pod = *Pod::open(f.layout, owned->pod.id());
    const auto finished = [](const Pod& p) { return is_finished(p.state()); };
    CHECK_FALSE(wait_until(pod, finished, std::chrono::steady_clock::now() + 20ms));
    std::thread end{[&] {
        std::this_thread::sleep_for(20ms);
        owned.reset();
    }};
    CHECK(wait_until(pod, finished, std::chrono::steady_clock::now() + 10s));
    CHECK(pod.state() == State::exited);
    end.join();
}

TEST_CASE("wait: until the supervisor says that it is ready")
{
    Fixture f;
    const auto owned = f.make(PodStage::run);
    auto pod = *Pod::open(f.layout, owned.pod.id());
    std::thread supervisor{[&] {
        std::this_thread::sleep_for(20ms);
        file::write_volatile(owned.pod.fd(), model::pod_dir::supervisor_status, "ready");
    }};
    CHECK(wait_until(pod, is_ready, std::chrono::steady_clock::now() + 10s));
    supervisor.join();
}

TEST_CASE("info: how the apps ended")
{
    Fixture f;
    auto owned = f.make(PodStage::run);
    const auto path = owned.pod.path();
    put(path + "/status/a.json", R"({"code":null,"signal":15,"oom":true,"started_ns":5,"finished_ns":7})");
    put(path + "/exit.json", R"({"status":15,"reason":"app a failed","finished_ns":7})");
    put(path + "/pid1", "42 1234\n");
    const auto info = read_info(owned.pod, Detail::full);
    CHECK(info.pid == 42);
    CHECK(info.exit->reason == "app a failed");
    CHECK(info.apps[0].state == "exited");
    CHECK(info.apps[0].result.status() == 15);
    CHECK(info.apps[0].result.out_of_memory);
    CHECK(info.apps[0].result.finished->time_since_epoch() == 7ns);
}

TEST_CASE("copy: links, holes, modes, times and attributes survive")
{
    Scratch scratch;
    const auto from = scratch.path() + "/from";
    put(from + "/dir/file", "content");
    fs::create_hard_link(from + "/dir/file", from + "/second");
    fs::create_symlink("/dangling", from + "/link");
    REQUIRE(::mkfifo((from + "/fifo").c_str(), 0640) == 0);
    put(from + "/sparse", "");
    REQUIRE(::truncate((from + "/sparse").c_str(), 10 << 20) == 0);
    std::ofstream{from + "/sparse", std::ios::in | std::ios::out}.seekp(5 << 20) << "data";
    REQUIRE(::chmod((from + "/dir").c_str(), 0711) == 0);
    const bool attributes = ::setxattr((from + "/dir/file").c_str(), "user.test", "value", 5, 0) == 0;
    const timespec times[2] = {{1000, 5}, {2000, 7}};
    REQUIRE(::utimensat(AT_FDCWD, (from + "/dir").c_str(), times, 0) == 0);

    std::size_t ticks = 0;
    const auto source = store::LayerStack::open({scratch.path() + "/from"});
    store::copy_tree(source.root(), scratch.fd(), "to", [&] { ++ticks; });
    const auto to = scratch.path() + "/to";
    CHECK(file::read(scratch.fd(), "to/dir/file") == "content");
    CHECK(fs::hard_link_count(to + "/second") == 2);
    CHECK(fs::equivalent(to + "/second", to + "/dir/file"));
    CHECK(fs::read_symlink(to + "/link") == "/dangling");
    CHECK(fs::is_fifo(to + "/fifo"));
    const auto sparse = sys::stat_at(scratch.fd(), "to/sparse");
    CHECK(sparse.st_size == 10 << 20);
    CHECK(sparse.st_blocks * 512 < 1 << 20);
    CHECK(file::read(scratch.fd(), "to/sparse").substr(5 << 20, 4) == "data");
    const auto dir = sys::stat_at(scratch.fd(), "to/dir");
    CHECK((dir.st_mode & 07777U) == 0711);
    CHECK(dir.st_mtim.tv_sec == 2000);
    CHECK(dir.st_mtim.tv_nsec == 7);
    if (attributes) {
        char value[8]{};
        CHECK(::getxattr((to + "/dir/file").c_str(), "user.test", value, sizeof value) == 5);
    }
}

TEST_CASE("new pod: a volume of the image's gets what the image has there, or there is no pod (OMAP-7, F9)")
{
    Fixture f;
    const auto volume = model::VolumeName::parse("data");
    f.manifest.volumes.push_back({.name = volume});
    fs::create_directories(f.scratch.path() + "/tree/real");
    put(f.scratch.path() + "/tree/real/word", "content");
    fs::create_symlink("/real", f.scratch.path() + "/tree/link"); // of the image's root, not the host's
    CHECK(::chmod((f.scratch.path() + "/tree/real").c_str(), 02750) == 0);

    std::vector<Seed> seeds{{volume, 0, "/link"}, {volume, 0, "/none"}, {volume, 0, "/etc/file"}};
    describe_seeds(f.manifest, f.images, seeds);
    REQUIRE(seeds.size() == 1);
    CHECK(f.manifest.volumes[0].mode == 02750);
    const auto owned = f.make(PodStage::prepared, true, seeds);
    CHECK(file::read(AT_FDCWD, owned.pod.path() + "/volumes/data/word") == "content");
    CHECK(sys::stat_at(AT_FDCWD, owned.pod.path() + "/volumes/data").st_mode == (S_IFDIR | 02750U));

    if (::geteuid() != 0 || ::mknod((f.scratch.path() + "/tree/real/null").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0)
        return; // nobody else can make one
    CHECK_THROWS_AS(f.make(PodStage::prepared, true, seeds), Error);
    CHECK(Scratch::names_in(f.layout.pods(PodStage::prepared)).size() == 1);
    CHECK(Scratch::names_in(f.layout.pods(PodStage::prepare)).empty());
}

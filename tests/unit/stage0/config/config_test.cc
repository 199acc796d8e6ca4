// SPDX-License-Identifier: Apache-2.0
#include "stage0/config/config.hh"

#include <sys/stat.h>

#include <type_traits>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/sys/file.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using config::Config;

namespace
{

// A system, a local and a user directory; put() takes paths like "local/auth.d/a.json".
class Tree
{
public:
    void put(const std::string& path, const std::string& content)
    {
        std::filesystem::create_directories(
            (scratch.path() + "/" + path).substr(0, scratch.path().size() + 1 + path.rfind('/')));
        file::write_atomic(scratch.fd(), "new", content);
        sys::rename(scratch.fd(), "new", scratch.fd(), path);
    }
    Config load() const
    {
        const auto& base = scratch.path();
        return config::load({base + "/system", base + "/local", base + "/user"});
    }
    // The one text a user sees, with the scratch directory left out.
    std::string error() const
    {
        try {
            load();
        } catch (const Error& error) {
            auto text = error.innermost();
            for (std::size_t at; (at = text.find(scratch.path())) != std::string::npos;)
                text.erase(at, scratch.path().size());
            return text;
        }
        return "no error";
    }

    Scratch scratch;
};

std::string file_of(const std::string& kind, const std::string& members)
{
    return fmt::format(R"({{"rktKind": "{}", "rktVersion": "v1"{}{}}})", kind, members.empty() ? "" : ", ", members);
}

std::string basic(const std::string& domains, const std::string& user)
{
    return file_of("auth", R"("domains": [)" + domains + R"(], "type": "basic", "credentials": {"user": ")" + user +
                               R"(", "password": "pw"})");
}

const std::string& user_for(const Config& config, const std::string& domain)
{
    return std::get<config::BasicAuth>(config.auth.at(domain)).user;
}

} // namespace

TEST_CASE("config: no directories at all is an empty configuration")
{
    CHECK(Tree{}.load() == Config{});
    CHECK(config::load({}) == Config{});
}

TEST_CASE("config: later directories win, item by item")
{
    Tree tree;
    tree.put("system/auth.d/a.json", basic(R"("a", "b", "c")", "system"));
    tree.put("local/auth.d/a.json", basic(R"("b", "c")", "local"));
    tree.put("user/auth.d/z.json", basic(R"("c:8443", "c")", "user"));
    tree.put("system/paths.d/p.json", file_of("paths", R"("data": "/s", "stage1-images": "/i")"));
    tree.put("local/paths.d/p.json", file_of("paths", R"("data": "/l")"));
    tree.put("system/stage1.d/s.json", file_of("stage1", R"("name": "s", "version": "1", "location": "/x.aci")"));
    tree.put("user/stage1.d/s.json", file_of("stage1", R"("name": "u", "version": "2")"));
    const auto config = tree.load();
    CHECK(user_for(config, "a") == "system");
    CHECK(user_for(config, "b") == "local");
    CHECK(user_for(config, "c") == "user");
    CHECK(user_for(config, "c:8443") == "user");
    CHECK(config.paths == config::Paths{"/l", "/i"});
    CHECK(config.stage1 == config::Stage1{"u", "2", "/x.aci"});
}

TEST_CASE("config: only regular files named *.json count; links to them are followed, nothing is waited for")
{
    Tree tree;
    tree.put("elsewhere/real", file_of("paths", R"("data": "/linked")"));
    tree.put("local/paths.d/notes.txt", "not JSON");
    tree.put("local/paths.d/sub.json/deeper.json", "not JSON either");
    sys::make_symlink("../../elsewhere/real", tree.scratch.fd(), "local/paths.d/link.json");
    sys::make_symlink("/dev/null", tree.scratch.fd(), "local/paths.d/masked.json");
    REQUIRE(::mkfifoat(tree.scratch.fd(), "local/paths.d/fifo.json", 0644) == 0);
    CHECK(tree.load().paths.data == "/linked");
    sys::make_symlink("nowhere", tree.scratch.fd(), "local/paths.d/dangling.json");
    CHECK(tree.error().find("/local/paths.d/dangling.json") != std::string::npos);
}

TEST_CASE("config: every error names its file, and says what rkt's users know")
{
    struct Case {
        const char* path;
        std::string content;
        const char* error;
    };
    const std::string full = R"("credentials": {"user": "u", "password": "p"})";
    const Case cases[] = {
        {"auth.d", "", R"(expected "/local/auth.d" to be a directory)"},
        {"auth.d/a.json", "{}", R"(no rktKind specified in "/local/auth.d/a.json")"},
        {"auth.d/a.json", R"({"rktKind": "auth"})", R"(no rktVersion specified in "/local/auth.d/a.json")"},
        {"auth.d/a.json", R"({"rktKind": "auth", "rktVersion": "v2"})",
         R"(no parser available for configuration of kind "auth" and version "v2" in "/local/auth.d/a.json")"},
        {"auth.d/a.json", file_of("paths", ""),
         R"(the configuration directory "/local/auth.d" expects to have configuration files of kinds "auth" )"
         R"("dockerAuth", but "/local/auth.d/a.json" has kind of "paths")"},
        {"auth.d/a.json", file_of("auth", ""), R"(failed to parse "/local/auth.d/a.json": no domains specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": [])"),
         R"(failed to parse "/local/auth.d/a.json": no domains specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"])"),
         R"(failed to parse "/local/auth.d/a.json": no auth type specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"], "type": "x")"),
         R"(failed to parse "/local/auth.d/a.json": unknown auth type: "x")"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"], "type": "basic", "credentials": {})"),
         R"(failed to parse "/local/auth.d/a.json": user not specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"], "type": "basic", "credentials": {"user": "u"})"),
         R"(failed to parse "/local/auth.d/a.json": password not specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"], "type": "oauth", "credentials": {"token": ""})"),
         R"(failed to parse "/local/auth.d/a.json": no oauth bearer token specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"], "type": "aws", "credentials": {})"),
         R"(failed to parse "/local/auth.d/a.json": no AWS Access Key ID specified)"},
        {"auth.d/a.json", file_of("auth", R"("domains": ["d"], "type": "aws", "credentials": {"accessKeyID": "i"})"),
         R"(failed to parse "/local/auth.d/a.json": no AWS Secret Access Key specified)"},
        {"auth.d/a.json", basic(R"("d", "d")", "u"),
         R"(failed to parse "/local/auth.d/a.json": auth for domain "d" is already specified)"},
        {"auth.d/a.json", file_of("dockerAuth", full),
         R"(failed to parse "/local/auth.d/a.json": no registries specified)"},
        {"auth.d/a.json", file_of("dockerAuth", R"("registries": ["r", "r"], )" + full),
         R"(failed to parse "/local/auth.d/a.json": credentials for docker registry "r" are already specified)"},
        {"paths.d/a.json", file_of("paths", R"("data": "relative")"),
         R"(failed to parse "/local/paths.d/a.json": data directory must be an absolute path)"},
        {"paths.d/a.json", file_of("paths", R"("stage1-images": "relative")"),
         R"(failed to parse "/local/paths.d/a.json": stage1 images directory must be an absolute path)"},
        {"stage1.d/a.json", file_of("stage1", R"("version": "1")"),
         R"(failed to parse "/local/stage1.d/a.json": invalid stage1 configuration: default stage1 image version )"
         R"(specified, but name is missing)"},
        {"stage1.d/a.json", file_of("stage1", R"("name": "n")"),
         R"(failed to parse "/local/stage1.d/a.json": invalid stage1 configuration: default stage1 image name )"
         R"(specified, but version is missing)"},
        {"stage1.d/a.json", file_of("stage1", R"("location": "a/b.aci")"),
         R"(failed to parse "/local/stage1.d/a.json": invalid stage1 configuration: default stage1 image location is )"
         R"(either a relative path or a URL without scheme)"},
        {"stage1.d/a.json", file_of("stage1", R"("location": "ftp://x")"),
         R"(failed to parse "/local/stage1.d/a.json": invalid stage1 configuration: default stage1 image location URL )"
         R"(has invalid scheme "ftp", allowed schemes are "docker", "file", "http", "https")"},
    };
    for (const auto& one : cases) {
        Tree tree;
        tree.put(std::string{"local/"} + one.path, one.content);
        CAPTURE(one.content);
        CHECK(tree.error() == one.error);
    }
}

TEST_CASE("config: the same item twice in one directory is an error, whichever files hold it")
{
    Tree tree;
    tree.put("local/auth.d/a.json", basic(R"("d")", "u"));
    tree.put("local/auth.d/b.json", basic(R"("d")", "u"));
    CHECK(tree.error() == R"(failed to parse "/local/auth.d/b.json": auth for domain "d" is already specified)");

    Tree paths;
    paths.put("local/paths.d/a.json", file_of("paths", R"("data": "/a", "stage1-images": "/b")"));
    paths.put("local/paths.d/b.json", file_of("paths", R"("stage1-images": "/b")"));
    CHECK(paths.error() == R"(failed to parse "/local/paths.d/b.json": stage1 images directory is already specified)");

    Tree stage1;
    stage1.put("local/stage1.d/a.json", file_of("stage1", R"("location": "file:///a")"));
    stage1.put("local/stage1.d/b.json", file_of("stage1", R"("name": "n", "version": "1")")); // another item: fine
    CHECK(stage1.error() == "no error");
    stage1.put("local/stage1.d/c.json", file_of("stage1", R"("location": "HTTPS://a")"));
    CHECK(stage1.error() ==
          R"(failed to parse "/local/stage1.d/c.json": location of a default stage1 image is already specified)");
}

TEST_CASE("config: broken or huge files are refused by name, and no secret leaks into the error")
{
    Tree tree;
    tree.put("local/auth.d/a.json", R"({"rktKind": "auth", "credentials": {"password": "hunter2" oops)");
    CHECK(tree.error().find(R"("/local/auth.d/a.json" is not valid JSON: line 1)") == 0);
    CHECK(tree.error().find("hunter2") == std::string::npos);
    tree.put("local/auth.d/a.json", std::string(std::size_t{2} << 20U, ' '));
    CHECK(tree.error().find("/local/auth.d/a.json") != std::string::npos);
    CHECK(tree.error().find("larger than") != std::string::npos);
}

TEST_CASE("config: printed entries are configuration files; secrets only when asked for (Q59)")
{
    static_assert(!fmt::is_formattable<config::Secret>::value);
    static_assert(!std::is_convertible_v<config::Secret, std::string>);

    Tree tree;
    tree.put("local/auth.d/a.json", basic(R"("b", "a")", "joe"));
    tree.put("local/auth.d/d.json",
             file_of("dockerAuth", R"("registries": ["r"], "credentials": {"user": "u", "password": "secret1"})"));
    const auto config = tree.load();
    CHECK(config::to_json(config, config::Secrets::shown, false) ==
          R"({"stage0":[{"rktVersion":"v1","rktKind":"auth","domains":["a"],"type":"basic",)"
          R"("credentials":{"user":"joe","password":"pw"}},)"
          R"({"rktVersion":"v1","rktKind":"auth","domains":["b"],"type":"basic",)"
          R"("credentials":{"user":"joe","password":"pw"}},)"
          R"({"rktVersion":"v1","rktKind":"dockerAuth","registries":["r"],)"
          R"("credentials":{"user":"u","password":"secret1"}},)"
          R"({"rktVersion":"v1","rktKind":"paths","data":"","stage1-images":""},)"
          R"({"rktVersion":"v1","rktKind":"stage1","name":"","version":"","location":""}]})");
    CHECK(config::to_json(config, config::Secrets::hidden, true).find("secret1") == std::string::npos);
    CHECK(config::to_json(Config{}, config::Secrets::hidden, true).find("{\n\t\"stage0\": [\n") == 0);
}

TEST_CASE("config: how images are let in and kept")
{
    Tree tree;
    tree.put("system/images.d/a.json",
             file_of("images", R"("limits": {"members": 7, "unpacked-bytes": "1Gi"}, "keep": ["example.com/a"])"));
    tree.put("local/images.d/a.json", file_of("images", R"("limits": {"members": 8}, "gc": {"graceSeconds": 60})"));
    tree.put("local/images.d/b.json", file_of("images", R"("gc": {"maxSize": "2G"})"));
    const auto images = tree.load().images;
    CHECK(images.limits == std::map<std::string, std::uint64_t>{{"members", 8}, {"unpacked-bytes", 1U << 30U}});
    CHECK(images.grace_seconds == 60);
    CHECK(images.largest_store == 2'000'000'000);
    CHECK(images.kept_by_name == std::vector<std::string>{"example.com/a"});
    CHECK(config::to_json(tree.load(), config::Secrets::hidden, false).find(R"("members":8)") != std::string::npos);

    const std::pair<const char*, const char*> refused[]{
        {R"("limits": {"member": 7})", R"(unknown limit "member")"},
        {R"("limits": {"members": -7})", "members"},
        {R"("limits": {"members": "many"})", "members"},
        {R"("limits": [])", "must be an object"},
        {R"("gc": {"graceSeconds": 9000000000})", "graceSeconds is more than"},
        {R"("gc": {"maxSize": 1.5})", "maxSize"},
        {R"("keep": ["Not A Name"])", "Not A Name"},
        {R"("keep": "example.com/a")", "keep"},
    };
    for (const auto& one : refused) {
        Tree broken;
        broken.put("local/images.d/a.json", file_of("images", one.first));
        CAPTURE(one.first);
        CHECK(broken.error().find(one.second) != std::string::npos);
    }
    tree.put("local/images.d/c.json", file_of("images", R"("gc": {"maxSize": "2G"})"));
    CHECK(tree.error().ends_with("maxSize is already specified"));
}

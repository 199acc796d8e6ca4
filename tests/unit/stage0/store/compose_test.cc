// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/compose.hh"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "common/sys/file.hh"
#include "stage0/store/tree_digest.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
namespace fs = std::filesystem;

namespace
{

// Layers and the result, in one directory.
struct Layers {
    Scratch scratch;
    std::uint64_t most_entries = 1000;

    void put(const std::string& layer, const std::string& path, const std::string& content)
    {
        const auto full = scratch.path() + "/" + layer + "/" + path;
        fs::create_directories(fs::path{full}.parent_path());
        std::ofstream{full} << content;
    }
    std::vector<std::string> compose(const std::vector<std::string>& names, std::vector<std::string> whitelist = {})
    {
        std::vector<Fd> layers;
        store::Composition composition{.layers = {}, .whitelist = std::move(whitelist), .most_entries = most_entries};
        for (const auto& name : names) {
            layers.push_back(sys::open(scratch.fd(), name, O_RDONLY | O_DIRECTORY));
            composition.layers.push_back(layers.back().get());
        }
        sys::make_dir(scratch.fd(), "result", 0700);
        return store::compose(composition, sys::open(scratch.fd(), "result", O_RDONLY | O_DIRECTORY).get());
    }
    std::string result(const std::string& path) { return file::read(scratch.fd(), "result/" + path); }
    std::vector<std::string> names(const std::string& path = "")
    {
        return Scratch::names_in(scratch.path() + "/result/" + path);
    }
};

} // namespace

TEST_CASE("compose: later layers override, names that only look alike do not") // REN-2, REN-3
{
    Layers layers;
    layers.put("one", "a/f", "1");
    layers.put("one", "a-b", "1");
    layers.put("one", "a.c/f", "1");
    layers.put("two", "a", "2"); // a file in place of the directory
    layers.put("two", "b/c/d", "2");
    CHECK(layers.compose({"one", "two"}).empty());
    CHECK(layers.names() == std::vector<std::string>{"a", "a-b", "a.c", "b"});
    CHECK(layers.result("a") == "2");
    CHECK(layers.result("a.c/f") == "1");
    CHECK(layers.result("b/c/d") == "2");
    CHECK(fs::equivalent(layers.scratch.path() + "/one/a-b", layers.scratch.path() + "/result/a-b"));
}

TEST_CASE("compose: a whitelist is exact") // REN-8..12
{
    Layers layers;
    layers.put("one", "a/b/f", "1");
    layers.put("one", "a/b/g", "1");
    layers.put("one", "a/b-c", "1");
    layers.put("one", "h", "1");
    CHECK(layers.compose({"one"}, {"/a//b/f/", "h", "/none", "/a/b/f/x", "/a/*"}) ==
          std::vector<std::string>{"/none", "/a/b/f/x", "/a/*"});
    CHECK(layers.names() == std::vector<std::string>{"a", "h"});
    CHECK(layers.names("a") == std::vector<std::string>{"b"});
    CHECK(layers.names("a/b") == std::vector<std::string>{"f"});
}

TEST_CASE("compose: a whitelist of nothing that is there leaves the root directory") // REN-11
{
    Layers layers;
    layers.put("one", "f", "1");
    CHECK(layers.compose({"one"}, {"/none"}).size() == 1);
    CHECK(layers.names().empty());
}

TEST_CASE("compose: directories keep their times and modes") // REN-4, REN-17
{
    Layers layers;
    layers.put("one", "d/f", "1");
    layers.put("two", "d/g", "2");
    const auto d = layers.scratch.path() + "/two/d";
    REQUIRE(::chmod(d.c_str(), 0500) == 0);
    const timespec times[2] = {{1000, 5}, {2000, 7}};
    REQUIRE(::utimensat(AT_FDCWD, d.c_str(), times, 0) == 0);
    layers.compose({"one", "two"});
    const auto info = sys::stat_at(layers.scratch.fd(), "result/d");
    CHECK((info.st_mode & 07777U) == 0500);
    CHECK(info.st_mtim.tv_sec == 2000);
    CHECK(info.st_mtim.tv_nsec == 7);
    CHECK(layers.names("d") == std::vector<std::string>{"f", "g"});
}

TEST_CASE("compose: a directory that nobody meant is told by its mark alone") // REN-6
{
    struct stat info {
    };
    info.st_mode = S_IFDIR | 0755;
    info.st_mtim = {0, store::implied_directory().mtime_nsec};
    CHECK(store::is_implied_directory(info));
    info.st_mtim = {0, 0};
    CHECK(!store::is_implied_directory(info));
    info.st_mtim = {0, 1};
    info.st_mode = S_IFDIR | 0750;
    CHECK(!store::is_implied_directory(info));
}

TEST_CASE("compose: all layers together have a limit") // R16
{
    Layers layers;
    layers.put("one", "d/f", "1");
    layers.most_entries = 6; // the root, d and f, twice
    CHECK(layers.compose({"one", "one"}).empty());
    remove_tree(layers.scratch.fd(), "result");
    layers.most_entries = 5;
    CHECK_THROWS_WITH(layers.compose({"one", "one"}), doctest::Contains("limit members"));
}

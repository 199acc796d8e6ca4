// SPDX-License-Identifier: Apache-2.0
#include "common/sys/path.hh"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "common/sys/sys.hh"

using namespace rocket;
namespace fs = std::filesystem;

namespace
{

// DIR/root is the root; DIR/outside must never be reached.
struct Tree {
    Tree()
    {
        std::string name = "/tmp/rocket-path-XXXXXX";
        dir = ::mkdtemp(name.data());
        fs::create_directories(dir / "root/var");
        fs::create_directories(dir / "outside");
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() { fs::remove_all(dir); }

    void link(const char* target, const char* path) const { fs::create_symlink(target, dir / "root" / path); }
    void file(const char* path) const { std::ofstream{dir / "root" / path} << "x"; }
    bool has(const char* path) const { return fs::exists(fs::symlink_status(dir / path)); }
    InRoot root() const { return InRoot::at(AT_FDCWD, (dir / "root").string()); }

    fs::path dir;
};

} // namespace

TEST_CASE("in-root: directories are made with their parents")
{
    Tree tree;
    tree.root().make_dirs("/a/b/c");
    CHECK(fs::is_directory(tree.dir / "root/a/b/c"));
    tree.root().make_dirs("/a//b/./c/d/");
    CHECK(fs::is_directory(tree.dir / "root/a/b/c/d"));
}

TEST_CASE("in-root: links lead to places inside, whether these exist or not")
{
    Tree tree;
    const auto outside = (tree.dir / "outside").string();
    tree.link("/run/lock", "var/lock");   // Debian's, absolute
    tree.link("../run", "var/run");       // relative
    tree.link(outside.c_str(), "escape"); // absolute, of the host
    tree.link("../../../../../..", "up"); // to the top and beyond
    tree.root().make_dirs("/var/lock/app");
    CHECK(fs::is_directory(tree.dir / "root/run/lock/app"));
    tree.root().make_file("/var/run/deep/file");
    CHECK(fs::is_regular_file(tree.dir / "root/run/deep/file"));
    tree.root().make_dirs("/escape/x");
    CHECK(fs::is_directory(fs::path{tree.dir.string() + "/root" + outside} / "x"));
    tree.root().make_file("/up/y");
    CHECK(tree.has("root/y"));
    CHECK(fs::is_empty(outside));
}

TEST_CASE("in-root: a dangling link to a file is followed when the file is made")
{
    Tree tree;
    tree.link("../data/file", "var/link");
    tree.root().make_file("/var/link");
    CHECK(fs::is_regular_file(tree.dir / "root/data/file"));
    CHECK(fs::is_symlink(tree.dir / "root/var/link"));
}

TEST_CASE("in-root: what cannot be a directory is said, and loops end")
{
    Tree tree;
    tree.file("plain");
    CHECK_THROWS_WITH(tree.root().make_dirs("/plain/sub"), "\"/plain\" is in the way of directory \"/plain/sub\"");
    tree.link("loop", "loop");
    CHECK_THROWS_AS(tree.root().make_dirs("/loop/sub"), Error);
    tree.link("b/x", "a");
    tree.link("a/x", "b");
    CHECK_THROWS_AS(tree.root().make_dirs("/a"), Error);
    CHECK_THROWS_AS(tree.root().make_file("/a"), Error);
}

TEST_CASE("in-root: only regular files are read, and nothing waits")
{
    Tree tree;
    tree.file("plain");
    REQUIRE(::mkfifo((tree.dir / "root/fifo").c_str(), 0600) == 0);
    tree.link("/proc/self/root/etc/passwd", "magic");
    CHECK(tree.root().read_file("/plain", 10) == "x");
    CHECK_FALSE(tree.root().read_file("/fifo", 10));
    CHECK_FALSE(tree.root().read_file("/var", 10));
    CHECK_FALSE(tree.root().read_file("/magic", 10));
    CHECK_FALSE(tree.root().read_file("/none", 10));
    CHECK_THROWS_AS(tree.root().read_file("/plain", 0), Error);
}

TEST_CASE("paths are compared by component")
{
    CHECK(clean_absolute("a//b/./c/") == "/a/b/c");
    CHECK(clean_absolute("/../../x/../y") == "/y");
    CHECK(clean_absolute("/") == "/");
    CHECK(is_at_or_below("/proc", "/proc"));
    CHECK(is_at_or_below("/proc/x", "/proc"));
    CHECK_FALSE(is_at_or_below("/process", "/proc"));
    CHECK(is_at_or_below("/x", "/"));
}

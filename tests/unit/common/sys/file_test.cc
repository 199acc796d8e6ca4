// SPDX-License-Identifier: Apache-2.0
// Files, trees and in-root paths, on a scratch directory.
#include "common/sys/file.hh"

#include <sys/stat.h>

#include <doctest/doctest.h>

#include "common/sys/lock.hh"
#include "common/sys/path.hh"
#include "common/sys/remove.hh"
#include "common/sys/sys.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;

TEST_CASE("file: written content is read back, with the mode asked for whatever the umask")
{
    Scratch scratch;
    const auto old_mask = ::umask(077);
    file::write_atomic(scratch.fd(), "a", "one", 0664);
    file::write_atomic(scratch.fd(), "a", "two", 0664);
    ::umask(old_mask);
    CHECK(file::read(scratch.fd(), "a") == "two");
    CHECK((sys::stat_at(scratch.fd(), "a").st_mode & 07777) == 0664);
    CHECK(scratch.names() == std::vector<std::string>{"a"}); // no temporary file is left
}

TEST_CASE("file: a FIFO is refused at once, not waited for (R16)")
{
    Scratch scratch;
    REQUIRE(::mkfifoat(scratch.fd(), "fifo", 0644) == 0);
    CHECK_THROWS_AS(file::read(scratch.fd(), "fifo"), Error);
    const InRoot root{sys::duplicate(scratch.fd())};
    CHECK_FALSE(root.read_file("/fifo", 100));
}

TEST_CASE("file: limits are errors, missing files are not")
{
    Scratch scratch;
    file::write_new(scratch.fd(), "big", std::string(100, 'x'));
    CHECK_THROWS_AS(file::read(scratch.fd(), "big", 99), Error);
    CHECK(file::read(scratch.fd(), "big", 100).size() == 100);
    CHECK_FALSE(file::read_if_exists(scratch.fd(), "none"));
    CHECK_THROWS_AS(file::write_new(scratch.fd(), "big", "again"), Error);
}

TEST_CASE("file: names of a directory are sorted; a missing one is an answer, one that is a file is told apart")
{
    Scratch scratch;
    sys::make_dir(scratch.fd(), "d", 0755);
    for (const char* name : {"b", "a", ".c"})
        file::write_new(scratch.fd(), std::string{"d/"} + name, "");
    CHECK(file::list(scratch.fd(), "d") == std::vector<std::string>{".c", "a", "b"});
    CHECK_FALSE(file::list_if_exists(scratch.fd(), "none"));
    CHECK_THROWS_AS(file::list(scratch.fd(), "d/a"), Error);
}

TEST_CASE("path: links inside a root stay inside it (R3)")
{
    Scratch scratch;
    sys::make_dir(scratch.fd(), "root", 0755);
    const auto root_dir = sys::open(scratch.fd(), "root", O_RDONLY | O_DIRECTORY);
    sys::make_dir(scratch.fd(), "outside", 0755);
    sys::make_symlink(scratch.path() + "/outside", root_dir.get(), "absolute");
    sys::make_symlink("../../outside", root_dir.get(), "relative");
    sys::make_symlink("/proc/self/root" + scratch.path() + "/outside", root_dir.get(), "magic");
    sys::make_symlink("/real", root_dir.get(), "good");
    sys::make_dir(root_dir.get(), "real", 0755);
    const InRoot root{sys::duplicate(root_dir.get())};

    CHECK(root.open_if_exists("/good", O_PATH | O_DIRECTORY));
    for (const char* link : {"absolute", "relative", "magic"}) {
        CAPTURE(link);
        CHECK_FALSE(root.open_if_exists(link, O_PATH | O_DIRECTORY));
        root.make_dirs(std::string{link} + "/made"); // made inside the root, see path_test.cc
    }
    root.make_dirs("/good/a/b");
    root.make_file("/good/a/f");
    CHECK(sys::stat_if_exists(root_dir.get(), "real/a/b"));
    CHECK(sys::stat_if_exists(root_dir.get(), "real/a/f"));
    CHECK(Scratch::names_in(scratch.path() + "/outside").empty());
}

TEST_CASE("path: cleaning and comparing by component")
{
    CHECK(clean_absolute("/a//b/./c/../d/") == "/a/b/d");
    CHECK(clean_absolute("../..") == "/");
    CHECK(is_at_or_below("/a/b", "/a"));
    CHECK(is_at_or_below("/a", "/a"));
    CHECK_FALSE(is_at_or_below("/ab", "/a"));
}

TEST_CASE("remove: a tree deeper than descriptors go, with closed directories, is removed; links are not followed")
{
    Scratch scratch;
    sys::make_dir(scratch.fd(), "keep", 0755);
    sys::make_dir(scratch.fd(), "top", 0755);
    Fd here = sys::open(scratch.fd(), "top", O_RDONLY | O_DIRECTORY);
    for (int depth = 0; depth < 300; ++depth) {
        sys::make_dir(here.get(), "d", 0755);
        file::write_new(here.get(), "f", "x");
        sys::make_symlink(scratch.path() + "/keep", here.get(), "l");
        here = sys::open(here.get(), "d", O_RDONLY | O_DIRECTORY);
    }
    sys::make_dir(here.get(), "closed", 0000);
    remove_tree(scratch.fd(), "top");
    remove_tree(scratch.fd(), "top"); // gone already: fine

    std::filesystem::create_directories(scratch.path() + "/a/b/c");
    remove_tree(AT_FDCWD, scratch.path() + "/a/b");
    remove_tree(AT_FDCWD, scratch.path() + "/none/b");
    CHECK(scratch.names() == std::vector<std::string>{"a", "keep"});
    CHECK(scratch.names_in(scratch.path() + "/a").empty());
    remove_tree(scratch.fd(), "a");
    CHECK(scratch.names() == std::vector<std::string>{"keep"});
}

TEST_CASE("lock: exclusive excludes, and ends with its owner")
{
    Scratch scratch;
    const auto open = [&] { return sys::open(scratch.fd(), ".", O_RDONLY | O_DIRECTORY); };
    {
        const auto held = Lock::take(open(), Lock::Mode::exclusive);
        CHECK_FALSE(Lock::try_take(open(), Lock::Mode::exclusive));
        CHECK_FALSE(Lock::try_take(open(), Lock::Mode::shared));
        CHECK(is_locked_exclusively(scratch.fd(), "."));
    }
    CHECK_FALSE(is_locked_exclusively(scratch.fd(), "."));
    const auto first = Lock::try_take(open(), Lock::Mode::shared);
    CHECK(Lock::try_take(open(), Lock::Mode::shared));
}

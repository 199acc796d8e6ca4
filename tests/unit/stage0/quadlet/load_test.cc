// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/load.hh"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <filesystem>

#include "common/sys/file.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::quadlet;

namespace
{

// What each file's drop-ins say about [Container] Label=, the first of them first: the path of each below the scratch.
std::vector<std::string> seen(const UnitFile& unit)
{
    std::vector<std::string> all;
    for (const auto& entry : unit.find("Container")->entries)
        all.push_back(entry.value);
    return all;
}

struct Tree {
    Scratch scratch;

    std::string directory(const std::string& name) const { return scratch.path() + "/" + name; }
    void write(const std::string& path) const
    {
        const std::filesystem::path full = directory(path);
        std::filesystem::create_directories(full.parent_path());
        file::write_new(AT_FDCWD, full.string(), "[Container]\nLabel=" + path + "\n");
    }
    UnitFile only(const std::string& name) const
    {
        for (auto& file : load({directory("etc"), directory("usr")}))
            if (file.name == name)
                return file;
        FAIL("not found: " << name);
        return {};
    }
};

} // namespace

TEST_CASE("load: a file gets the drop-ins of its name, its template, its prefixes and its type")
{
    const Tree tree;
    for (const char* path : {"usr/web-blue@1.container", "usr/web-blue@1.container.d/90.conf",
                             "etc/web-blue@.container.d/80.conf", "usr/web-.container.d/70.conf",
                             "usr/container.d/60.conf", "usr/web.container.d/50.conf", "usr/pod.d/40.conf"})
        tree.write(path);
    CHECK(seen(tree.only("web-blue@1.container")) ==
          std::vector<std::string>{"usr/web-blue@1.container", "usr/container.d/60.conf",
                                   "usr/web-.container.d/70.conf", "etc/web-blue@.container.d/80.conf",
                                   "usr/web-blue@1.container.d/90.conf"});
}

TEST_CASE("load: of two drop-ins with one name that for fewer files counts, then that of the earlier directory")
{
    const Tree tree;
    for (const char* path : {"usr/a-.container", "usr/a-.container.d/1.conf", "etc/container.d/1.conf",
                             "usr/container.d/2.conf", "etc/container.d/2.conf"})
        tree.write(path);
    std::filesystem::create_symlink("/dev/null", tree.directory("etc/container.d/3.conf"));
    tree.write("usr/container.d/3.conf");
    CHECK(seen(tree.only("a-.container")) ==
          std::vector<std::string>{"usr/a-.container", "usr/a-.container.d/1.conf", "etc/container.d/2.conf"});
}

// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_root.hh"
#include "stage1/sources.hh"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "common/sys/sys.hh"

using namespace rocket;
using namespace rocket::stage1;
namespace fs = std::filesystem;

namespace
{

struct Directories {
    Directories()
    {
        std::string name = "/tmp/rocket-sources-XXXXXX";
        top = ::mkdtemp(name.data());
        for (const char* sub : {"image", "layer", "host"})
            fs::create_directory(top / sub);
    }
    Directories(const Directories&) = delete;
    Directories& operator=(const Directories&) = delete;
    ~Directories() { fs::remove_all(top); }

    void make(const char* image, const char* layer) const
    {
        const auto open = [&](const char* sub) { return sys::open(AT_FDCWD, top / sub, O_RDONLY | O_DIRECTORY); };
        std::vector<Fd> trees;
        if (std::string_view{image} != layer)
            trees.push_back(open(image));
        make_top_directories(trees, open(layer).get());
    }
    bool is_real_dir(const char* path) const { return fs::is_directory(fs::symlink_status(top / path)); }

    fs::path top;
};

constexpr const char* names[] = {"dev", "proc", "sys", "run", "etc", "tmp"};

} // namespace

TEST_CASE("top directories: what the image lacks or has as a link is made in the layer above (R4)")
{
    const Directories dirs;
    fs::create_directory(dirs.top / "image/etc");
    fs::create_symlink(dirs.top / "host", dirs.top / "image/dev");
    fs::create_symlink("../host", dirs.top / "image/run");
    fs::create_symlink("/proc/self/root/tmp", dirs.top / "image/tmp");
    std::ofstream{dirs.top / "image/proc"} << "a file";
    dirs.make("image", "layer");
    for (const char* name : {"dev", "proc", "sys", "run", "tmp"}) {
        CAPTURE(name);
        CHECK(dirs.is_real_dir((std::string{"layer/"} + name).c_str()));
    }
    CHECK_FALSE(fs::exists(dirs.top / "layer/etc")); // the image's own is a directory
    CHECK(fs::is_empty(dirs.top / "host"));
    CHECK(fs::is_symlink(dirs.top / "image/dev")); // the image is shared and stays as it is
}

TEST_CASE("top directories: of several trees the topmost that has the name decides")
{
    const Directories dirs;
    for (const char* name : {"image/etc", "image/run", "image/dev", "host/run"})
        fs::create_directory(dirs.top / name);
    fs::create_symlink("/nowhere", dirs.top / "host/etc");
    REQUIRE(::mknod((dirs.top / "host/dev").c_str(), S_IFCHR, 0) == 0); // a white-out of overlayfs
    const auto open = [&](const char* sub) { return sys::open(AT_FDCWD, dirs.top / sub, O_RDONLY | O_DIRECTORY); };
    std::vector<Fd> trees;
    trees.push_back(open("host"));
    trees.push_back(open("image"));
    make_top_directories(trees, open("layer").get());
    CHECK(dirs.is_real_dir("layer/etc"));
    CHECK(dirs.is_real_dir("layer/dev"));
    CHECK_FALSE(fs::exists(dirs.top / "layer/run"));
}

TEST_CASE("top directories: modes are exact whatever the umask")
{
    const Directories dirs;
    const auto before = ::umask(077);
    dirs.make("image", "layer");
    ::umask(before);
    CHECK(fs::status(dirs.top / "layer/etc").permissions() == fs::perms{0755});
    CHECK(fs::status(dirs.top / "layer/tmp").permissions() == fs::perms{01777});
}

TEST_CASE("top directories: on a copy of the image, links and files are replaced, and twice is as once")
{
    const Directories dirs;
    fs::create_symlink(dirs.top / "host", dirs.top / "layer/etc");
    fs::create_symlink("/nowhere", dirs.top / "layer/sys");
    std::ofstream{dirs.top / "layer/run"} << "a file";
    dirs.make("layer", "layer");
    dirs.make("layer", "layer");
    for (const char* name : names) {
        CAPTURE(name);
        CHECK(dirs.is_real_dir((std::string{"layer/"} + name).c_str()));
    }
    CHECK(fs::is_empty(dirs.top / "host"));
}

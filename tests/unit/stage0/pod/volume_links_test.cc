// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/volume_links.hh"

#include <unistd.h>

#include <doctest/doctest.h>

#include "common/sys/sys.hh"
#include "tests/unit/stage0/store/fake_store.hh"

using namespace rocket;
using pod::without_links;

namespace
{

Error::Kind kind_of_failure(const std::string& path, uid_t user)
{
    try {
        without_links(path, user);
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("no error");
    return Error::Kind::system;
}

} // namespace

TEST_CASE("VOL-15: a volume's source without the links on the way to it")
{
    const FakeStore fake;
    const int dir = fake.scratch.fd();
    const auto here = without_links(fake.scratch.path(), ::getuid());
    sys::make_dir(dir, "real", 0755);
    sys::make_dir(dir, "real/below", 0755);
    sys::make_symlink("real", dir, "relative");
    sys::make_symlink(here + "/relative/./below/../below", dir, "absolute");
    sys::make_symlink("round", dir, "round");
    CHECK(without_links(here + "//real/./below/", ::getuid()) == here + "/real/below");
    CHECK(without_links(here + "/relative/below", ::getuid()) == here + "/real/below");
    CHECK(without_links(here + "/absolute", ::getuid()) == here + "/real/below");
    CHECK(without_links(here + "/absolute/..", ::getuid()) == here + "/real");
    CHECK(without_links("/../..", ::getuid()) == "/");
    CHECK(kind_of_failure(here + "/none", ::getuid()) == Error::Kind::not_found);
    CHECK(kind_of_failure(here + "/relative/none", ::getuid()) == Error::Kind::not_found);
    CHECK(kind_of_failure(here + "/round", ::getuid()) == Error::Kind::usage);
}

TEST_CASE("VOL-15: the links of other users lead nowhere")
{
    const FakeStore fake;
    const auto path = without_links(fake.scratch.path(), ::getuid()) + "/link";
    sys::make_symlink("/", fake.scratch.fd(), "link");
    if (::geteuid() == 0)
        REQUIRE(::lchown(path.c_str(), 12345, 12345) == 0);
    const auto owner = sys::stat_at(AT_FDCWD, path).st_uid;
    CHECK(without_links(path, owner) == "/");
    CHECK(kind_of_failure(path, owner + 1) == Error::Kind::untrusted);
}

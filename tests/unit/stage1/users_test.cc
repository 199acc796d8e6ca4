// SPDX-License-Identifier: Apache-2.0
#include "stage1/users.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

constexpr const char* passwd = "root:x:0:0:root:/root:/bin/sh\n"
                               "# a comment:x:5:5::/:\n"
                               "+nis:x:6:6::/:\n"
                               "short:x:7\n"
                               "badid:x:-8:8::/:\n"
                               "huge:x:4294967296:8::/:\n"
                               "web:x:33:33:web:/var/www:/usr/sbin/nologin\n"
                               "web:x:34:34:second:/:\n"
                               "1000:x:77:77:a name of digits:/:\n"
                               "last:x:99:99::/:";

} // namespace

TEST_CASE("users: lines of passwd and group")
{
    struct {
        const char* name;
        std::optional<std::uint32_t> uid;
    } const rows[] = {{"root", 0},
                      {"web", 33},
                      {"1000", 77},
                      {"last", 99},
                      {"nobody", std::nullopt},
                      {"", std::nullopt},
                      {"short", std::nullopt},
                      {"badid", std::nullopt},
                      {"huge", std::nullopt},
                      {"+nis", std::nullopt},
                      {"nis", std::nullopt},
                      {"# a comment", std::nullopt},
                      {"ro", std::nullopt},
                      {"root:x", std::nullopt}};
    for (const auto& row : rows) {
        CAPTURE(std::string{row.name});
        CHECK(find_in_passwd(passwd, row.name) == row.uid);
    }
    CHECK(find_in_group("adm:x:4:\nweb:x:33:a,b\nshort:x\n", "web") == 33U);
    CHECK_FALSE(find_in_group("short:x\n", "short"));
}

TEST_CASE("users: all forms, names before numbers (USR-1..4)")
{
    Scratch scratch;
    sys::make_dir(scratch.fd(), "etc", 0755);
    file::write_new(scratch.fd(), "etc/passwd", passwd);
    file::write_new(scratch.fd(), "etc/group", "staff:x:50:\n");
    file::write_new(scratch.fd(), "owned", "");
    sys::make_symlink("/owned", scratch.fd(), "link");
    const InRoot root{sys::duplicate(scratch.fd())};
    CHECK(resolve_user("web", root) == 33);
    CHECK(resolve_user("1000", root) == 77);
    CHECK(resolve_user("1001", root) == 1001);
    CHECK(resolve_user("007", root) == 7);
    CHECK(resolve_user("4294967294", root) == 4294967294U);
    CHECK(resolve_user("/link", root) == ::getuid());
    CHECK(resolve_group("/owned", root) == ::getgid());
    CHECK(resolve_group("staff", root) == 50);
    CHECK(resolve_group("root", root) == 0);
}

TEST_CASE("users: what is no id and no name is refused (USR-4, USR-5, R10)")
{
    Scratch scratch;
    const InRoot root{sys::duplicate(scratch.fd())};
    for (const char* bad : {"4294967295", "4294967296", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x10", "1e3",
                            "nobody", "/missing", "", "1.0", "99999999999999999999999"}) {
        CAPTURE(std::string{bad});
        CHECK_THROWS_AS(resolve_user(bad, root), Error);
        CHECK_THROWS_AS(resolve_group(bad, root), Error);
    }
}

TEST_CASE("users: a passwd that is a FIFO, a directory, a loop or leads out counts as empty; a huge one is an error")
{
    Scratch scratch;
    sys::make_dir(scratch.fd(), "etc", 0755);
    const InRoot root{sys::duplicate(scratch.fd())};
    REQUIRE(::mkfifoat(scratch.fd(), "etc/passwd", 0644) == 0);
    CHECK(resolve_user("5", root) == 5);
    sys::unlink(scratch.fd(), "etc/passwd");
    sys::make_dir(scratch.fd(), "etc/passwd", 0755);
    CHECK(resolve_user("5", root) == 5);
    sys::unlink(scratch.fd(), "etc/passwd", AT_REMOVEDIR);
    for (const char* target : {"passwd", "/etc/../../../../../../../etc/passwd", "/proc/self/root/etc/passwd"}) {
        CAPTURE(std::string{target});
        sys::make_symlink(target, scratch.fd(), "etc/passwd");
        CHECK_THROWS_AS(resolve_user("daemon", root), Error); // the host's has one
        sys::unlink(scratch.fd(), "etc/passwd");
    }
    file::write_new(scratch.fd(), "etc/passwd", std::string((1U << 20U) + 1, 'x'));
    CHECK_THROWS_AS(resolve_user("5", root), Error);
}

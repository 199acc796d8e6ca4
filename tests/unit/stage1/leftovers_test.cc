// SPDX-License-Identifier: Apache-2.0
#include "stage1/leftovers.hh"

#include <doctest/doctest.h>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

const auto pod_id = model::PodId::parse("5bc080ca-3b4b-4f6d-9d8a-111111111111");

} // namespace

TEST_CASE("leftovers: a cgroup that only this pod can have")
{
    CHECK(is_named_after("/machine.slice/machine-rkt\\x2d5bc080ca\\x2d3b4b\\x2d4f6d\\x2d9d8a\\x2d111111111111.scope",
                         pod_id));
    for (const char* other :
         {"/system.slice/web.service/payload", "/", "/machine.slice",
          "/machine-rkt\\x2d5bc080ca\\x2d3b4b\\x2d4f6d\\x2d9d8a\\x2d111111111112.scope",
          "/machine-rkt\\x2d5bc080ca\\x2d3b4b\\x2d4f6d\\x2d9d8a\\x2d111111111111.scope/init.scope"}) {
        CAPTURE(std::string{other});
        CHECK_FALSE(is_named_after(other, pod_id));
    }
}

TEST_CASE("leftovers: groups that no pod can have are left alone")
{
    Scratch scratch;
    remove_cgroup(scratch.fd(), pod_id); // none recorded
    for (const char* group : {"", "/", "..", "/../..", "relative", "/no/such/group\n"}) {
        CAPTURE(std::string{group});
        file::write_volatile(scratch.fd(), "subcgroup", group);
        CHECK_NOTHROW(remove_cgroup(scratch.fd(), pod_id));
    }
}

TEST_CASE("leftovers: the link to the journal goes, a directory in its place stays")
{
    Scratch scratch;
    const std::string name = "5bc080ca3b4b4f6d9d8a111111111111";
    remove_journal_link(pod_id, scratch.path());
    remove_journal_link(pod_id, scratch.path() + "/missing");
    sys::make_symlink("/somewhere", scratch.fd(), name);
    remove_journal_link(pod_id, scratch.path());
    CHECK(scratch.names().empty());
    sys::make_dir(scratch.fd(), name, 0755);
    remove_journal_link(pod_id, scratch.path());
    CHECK(scratch.names() == std::vector<std::string>{name});
}

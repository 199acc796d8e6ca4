// SPDX-License-Identifier: Apache-2.0
#include "stage1/resolve.hh"

#include <doctest/doctest.h>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage1/capabilities.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

struct Fixture {
    Scratch scratch;
    InRoot root{sys::duplicate(scratch.fd())};
    PodFacts facts;

    Fixture()
    {
        for (const char* dir : {"bin", "etc", "work"})
            sys::make_dir(scratch.fd(), dir, 0755);
        for (const char* program : {"bin/interpreter", "bin/main"})
            file::write_new(scratch.fd(), program, "#!/bin/elf\n", 0755);
        file::write_new(scratch.fd(), "bin/elf", "\177ELF" + std::string(60, '\0'), 0755);
        file::write_new(scratch.fd(), "etc/passwd", "web:x:33:33::/:/bin/sh\n");
        file::write_new(scratch.fd(), "etc/group", "web:x:34:\n");
    }

    // `members` are of the app object.
    AppSpec resolve(const std::string& members) const
    {
        const auto pod = model::PodManifest::parse(R"({"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"a",
            "image":{"id":"sha512-)" + std::string(128, '0') +
                                                   R"("},"app":{)" + members + "}}]}");
        const auto image =
            model::ImageManifest::parse(R"({"acVersion":"0.8.11","acKind":"ImageManifest","name":"example.com/a"})");
        return stage1::resolve(pod.apps[0], image, pod.isolators, facts, root);
    }
};

constexpr const char* least = R"("exec":["main","x"],"user":"web","group":"web")";

} // namespace

TEST_CASE("resolve: an ordinary app")
{
    const Fixture fixture;
    const auto spec = fixture.resolve(std::string{least} + R"(,"environment":[{"name":"PATH","value":"/none:/bin"}])");
    CHECK(spec.name == "a");
    CHECK(spec.uid == 33);
    CHECK(spec.gid == 34);
    CHECK(spec.main == Command{"/bin/main", {"main", "x"}});
    CHECK(spec.exec_error == "");
    CHECK(spec.working_directory == "/");
    CHECK(spec.bounding_set == default_capabilities());
    CHECK(spec.seccomp.is_default);
    CHECK(spec.no_new_privileges); // not root, and a filter (SEC-13)
    CHECK(spec.restrict_devices);
    CHECK(spec.reports.empty());
}

TEST_CASE("resolve: no_new_privs is asked for, or forced by a filter on who is not root (NNP-1, SEC-13)")
{
    Fixture fixture;
    const std::string as_root = R"("exec":["/bin/main"],"user":"0","group":"0")";
    const std::string nnp = R"(,"isolators":[{"name":"os/linux/no-new-privileges","value":true}])";
    CHECK_FALSE(fixture.resolve(as_root).no_new_privileges);
    CHECK(fixture.resolve(as_root + nnp).no_new_privileges);
    fixture.facts.restrict_seccomp = false;
    CHECK_FALSE(fixture.resolve(least).no_new_privileges);
    CHECK(fixture.resolve(least).seccomp == SeccompPolicy{});
    fixture.facts.restrict_capabilities = false;
    CHECK(fixture.resolve(least).bounding_set == all_capabilities(40));
}

TEST_CASE("resolve: what cannot be executed is told, not thrown (cli 9.5)")
{
    const Fixture fixture;
    const std::string ids = R"(,"user":"0","group":"0")";
    CHECK(fixture.resolve(R"("exec":["/nope"])" + ids).exec_error == "\"/nope\" does not exist in the app's root");
    const auto pre =
        fixture.resolve(R"("exec":["/bin/main"],"eventHandlers":[{"name":"pre-start","exec":["/x"]}])" + ids);
    CHECK(pre.exec_error.starts_with("pre-start handler: \"/x\""));
    const auto post =
        fixture.resolve(R"("exec":["/bin/main"],"eventHandlers":[{"name":"post-stop","exec":["/x"]}])" + ids);
    CHECK(post.exec_error == "");
    CHECK_FALSE(post.post_stop);
    CHECK(post.reports.size() == 1);
    const auto nothing =
        fixture.resolve(R"("exec":["/bin/main"],"eventHandlers":[{"name":"pre-start","exec":[]}])" + ids);
    CHECK_FALSE(nothing.pre_start); // APP-9
}

TEST_CASE("resolve: refused with a reason")
{
    const Fixture fixture;
    for (const auto& row :
         {std::pair{R"("exec":[],"user":"0","group":"0")", "no executable"},
          {R"("exec":["/bin/main"],"user":"nobody","group":"0")", "user \"nobody\" is not in"},
          {R"("exec":["/bin/main"],"user":"4294967295","group":"0")", "out of range"},
          {R"("exec":["/bin/main"],"user":"0","group":"-1")", "group \"-1\""},
          {R"("exec":["/bin/main"],"user":"0","group":"0","workingDirectory":"/none")", "working directory \"/none\""},
          {R"("exec":["/bin/main"],"user":"0","group":"0","workingDirectory":"/bin/main")", "working directory"}}) {
        CAPTURE(std::string{row.first});
        std::string text;
        try {
            fixture.resolve(row.first);
        } catch (const Error& error) {
            text = error.what();
        }
        CAPTURE(text);
        CHECK(text.find(row.second) != std::string::npos);
    }
}

TEST_CASE("resolve: isolators that are not in force are reported (ISO-5)")
{
    Fixture fixture;
    const auto with = [&](const std::string& isolator) {
        return fixture.resolve(std::string{least} + R"(,"isolators":[)" + isolator + "]");
    };
    CHECK(with(R"({"name":"example.com/unknown","value":1})").reports.size() == 1);
    const std::string profile = R"({"name":"os/linux/apparmor-profile","value":{"profile":"p"}})";
    CHECK(with(profile).reports.size() == 1); // AAR-1: the host has no AppArmor
    CHECK(with(profile).labels == SecurityLabels{});
}

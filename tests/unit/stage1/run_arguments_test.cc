// SPDX-License-Identifier: Apache-2.0
#include "stage1/run_arguments.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

constexpr const char* uuid = "7f3a1c1e-90b4-4d5b-8a5e-9a3fd1a5b0c2";

RunArguments parse(std::vector<const char*> words)
{
    words.push_back(uuid);
    return parse_run_arguments(words);
}

} // namespace

TEST_CASE("run arguments: all that stage0 writes")
{
    const auto arguments =
        parse({"--debug", "--net=host", "--interactive", "--local-config=/etc/x", "--hostname=web",
               "--dns-conf-mode=resolv=stage0,hosts=host", "--disable-capabilities-restriction", "--disable-paths",
               "--disable-seccomp", "--ipc=parent", "--private-users=524288:65536", "--mutable"});
    const auto& options = arguments.options;
    CHECK(arguments.id.str() == uuid);
    CHECK(options.debug);
    CHECK(options.interactive);
    CHECK(options.is_mutable);
    CHECK(options.network == NetworkKind::host);
    CHECK(options.local_config == "/etc/x");
    CHECK(options.hostname == "web");
    CHECK(options.resolv_conf == NameFile::pod);
    CHECK(options.hosts == NameFile::host);
    CHECK_FALSE(options.restrict_capabilities);
    CHECK_FALSE(options.restrict_paths);
    CHECK_FALSE(options.restrict_seccomp);
    CHECK(options.ipc == Ipc::parent);
    CHECK(options.private_users == model::IdRange{524288, 65536});
}

TEST_CASE("run arguments: what cannot be done is refused")
{
    for (const char* bad : {"--net", "--debug=true", "--ipc=other", "--mutable=true", "--private-users=65536",
                            "--private-users=0:0", "--mds-token=0123", "--register", "--register=maybe",
                            "--dns-conf-mode=resolv=maybe", "--dns-conf-mode=hosts=none", "word", ""}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse({bad}), Error);
    }
    CHECK_THROWS_AS(parse_run_arguments({}), Error);
}

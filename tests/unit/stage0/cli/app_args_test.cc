// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "stage0/cli/app_args.hh"

using namespace rocket;
using namespace rocket::cli;

namespace
{

const std::vector<Command> no_commands;
const Command any{.path = {"run"}, .arguments = "", .purpose = "", .description = ""};

// As `run` has it: flags of the pod (one stands for them), flags of apps, global flags.
struct Fixture {
    Context context;
    AppArgs args;
    bool pod_flag = false;
    FlagSet own, global;

    Fixture()
    {
        args.declare(own);
        own.add("pod-flag", pod_flag, "");
        context.declare_flags(global);
    }

    void parse(const Words& words, bool takes_arguments = true)
    {
        const FlagParser parser{{&own, &global}, [](const std::string&) {}};
        const Invocation invocation{context, no_commands, any, parser, parser.parse(words, false)};
        args.parse(invocation, takes_arguments);
    }
};

std::string error(const Words& words, bool takes_arguments = true)
{
    Fixture f;
    try {
        f.parse(words, takes_arguments);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

// The text behind `invalid argument "V" for T: `, where a flag rejects its value.
std::string reason(const std::string& flag)
{
    const auto text = error({"img", flag});
    const auto at = text.find(" for " + flag + ": ");
    return at == std::string::npos ? text : text.substr(at + flag.size() + 7);
}

} // namespace

TEST_CASE("app grammar: flags bind to the image before them, arguments stand between -- and ---")
{
    Fixture f;
    f.parse({"--mount=volume=g,target=/g", "a", "--mount", "volume=d,target=/d", "--exec=/bin/x", "--", "-v", "--",
             "--user=1", "---", "b", "--user=7", "--pod-flag", "--debug", "--", "--y"});
    REQUIRE(f.args.apps.size() == 2);
    const auto& [a, b] = std::tie(f.args.apps[0], f.args.apps[1]);
    CHECK(a.image == "a");
    CHECK(a.exec == "/bin/x");
    CHECK(a.arguments == Words{"-v", "--", "--user=1"});
    REQUIRE(a.mounts.size() == 1);
    CHECK(a.mounts[0].path == "/d");
    CHECK_FALSE(a.user);
    CHECK(b.image == "b");
    CHECK(b.user == "7");
    CHECK(b.arguments == Words{"--y"});
    REQUIRE(f.args.mounts.size() == 1);
    CHECK(f.args.mounts[0].path == "/g");
    CHECK(f.pod_flag);             // pod-level and global flags may stand behind images
    CHECK(f.context.global.debug); // and are in force (Q8)
}

TEST_CASE("app grammar: empty words are dropped between images, and kept among arguments")
{
    Fixture f;
    f.parse({"a", "", "--", "", "x", "", "---", "", "b"});
    REQUIRE(f.args.apps.size() == 2);
    CHECK(f.args.apps[0].arguments == Words{"", "x", ""});
    CHECK(f.args.apps[1].image == "b");
}

TEST_CASE("app grammar: an escaped --- reaches the app")
{
    Fixture f;
    f.parse({"a", "--", "\\---", "\\\\---", "\\--", "x"});
    CHECK(f.args.apps[0].arguments == Words{"---", "\\---", "\\--", "x"});
}

TEST_CASE("app grammar: a --- between images is only a separator")
{
    Fixture f;
    f.parse({"a", "---", "b"});
    REQUIRE(f.args.apps.size() == 2);
    CHECK(f.args.apps[1].image == "b");
}

TEST_CASE("app grammar: a -- before the first image is swallowed")
{
    Fixture f;
    f.parse({"--pod-flag", "--", "a", "--", "x"});
    REQUIRE(f.args.apps.size() == 1);
    CHECK(f.args.apps[0].arguments == Words{"x"});
}

TEST_CASE("app grammar: every error text")
{
    const std::string prefix = "error parsing app image arguments: ";
    CHECK(error({"--", "--", "x"}) == prefix + "an image is required before any app arguments");
    CHECK(error({"a", "--", "x", "---", "--", "y"}) == prefix + "only one set of app arguments allowed per image");
    for (const Words& words : {Words{"a", "---", "-v"}, Words{"a", "---"}})
        CHECK(error(words) == prefix + "--- must be followed by an image; app arguments begin with --");
    CHECK(error({"---", "a"}) == "bad flag syntax: ---");
    CHECK(error({"a", "--bogus"}) == prefix + "unknown flag: --bogus");
    CHECK(error({"a", "--user"}) == prefix + "flag needs an argument: --user");
    CHECK(error({"a", "--", "x"}, false) == "unable to parse arguments: app arguments unsupported");
    CHECK(error({"--exec=/x", "a"}) == R"(invalid argument "/x" for --exec=/x: --exec must follow an image)");
    CHECK(error({"--stdin=null", "a"}) ==
          R"(invalid argument "null" for --stdin=null: --stdin must follow an application)");
}

TEST_CASE("app flags: --help behind an image is help (Q1)")
{
    Fixture f;
    CHECK_THROWS_AS(f.parse({"a", "--help"}), HelpRequested);
}

TEST_CASE("app flags: values that are refused, and why")
{
    CHECK(reason("--memory=100") == "memory limit of 100 bytes too low. Try a reasonable value, such as --memory=16M");
    CHECK(reason("--seccomp=chmod") == "invalid seccomp mode command-line override");
    CHECK(reason("--seccomp=mode=allow,chmod") == "invalid seccomp mode command-line override");
    CHECK(reason("--seccomp=mode=retain,x=y") == "invalid seccomp command-line override");
    CHECK(reason("--mount=volume=a,target=/x,k=v") == R"(unknown mount parameter "k")");
    for (const char* flag :
         {"--name=A", "--name=-a", "--cpu-shares=1", "--cpu-shares=262145", "--cpu-shares=-5", "--oom-score-adj=1001",
          "--oom-score-adj=x", "--supplementary-gids=1,x", "--supplementary-gids=4294967295", "--environment=A",
          "--environment=1A=x", "--annotation=x", "--cpu=x", "--readonly-rootfs=maybe", "--user-label=novalue",
          "--stdout=nowhere", "--stdin=log"}) {
        CAPTURE(flag);
        CHECK(error({"img", flag}).find("error parsing app image arguments: invalid argument ") == 0);
    }
    CHECK(error({"img", "--exec=/a", "--exec=/b"}).ends_with("--exec specified multiple times for the same image"));
    CHECK(error({"img", "--caps-retain=CAP_CHOWN", "--caps-remove=CAP_KILL"})
              .ends_with("error: cannot use both --caps-retain and --caps-remove on the same image"));
}

TEST_CASE("app flags: values that are taken")
{
    Fixture f;
    f.parse({"img", "--name=web", "--readonly-rootfs", "--supplementary-gids=1,2", "--supplementary-gids=2,3",
             "--environment=A=1", "--environment=A=2=3", "--annotation=a/b=c", "--user-label=k=v", "--memory=1Gi",
             "--cpu=500m", "--seccomp=errno=EPERM,mode=remove,chmod,chown", "--cap-retain=CAP_CHOWN",
             "--signature=s.asc"});
    const auto& app = f.args.apps.at(0);
    CHECK(app.name->str() == "web");
    CHECK(app.read_only_root_fs == true);
    CHECK(app.supplementary_gids == std::vector<std::uint32_t>{1, 2, 3});
    CHECK(*model::find(app.environment, "A") == "2=3");
    CHECK(*model::find(app.annotations, "a/b") == "c");
    CHECK(app.user_labels.at("k") == "v");
    CHECK(app.appended_isolators.size() == 2);
    CHECK(app.replacing_isolators.size() == 2);
    CHECK(app.signature == "s.asc");
}

TEST_CASE("mounts must name a declared volume")
{
    const std::vector<model::Mount> mounts{model::Mount::parse("volume=data,target=/d")};
    CHECK_THROWS_WITH(check_mounts(mounts, {}), R"(dangling mount point "/d": volume "data" not found)");
    CHECK_NOTHROW(check_mounts(mounts, {model::Volume::parse("data,kind=empty")}));
}

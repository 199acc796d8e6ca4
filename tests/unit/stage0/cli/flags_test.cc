// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "stage0/cli/context.hh"
#include "stage0/cli/flags.hh"

using namespace rocket;
using namespace rocket::cli;
using namespace std::chrono_literals;

namespace
{

struct Options {
    bool full = false;
    std::string format;
    int count = 0;
    Duration grace = 30min;
    Words volumes;
    StringMap env;
    std::string net;
    std::string readonly;
};

struct Fixture {
    Options options;
    FlagSet set;
    std::vector<std::string> warnings;

    Fixture()
    {
        set.add("full", options.full, "");
        set.add("format", options.format, "");
        set.add("count", options.count, "");
        set.add("grace-period", options.grace, "");
        set.add("volume", options.volumes, "");
        set.add("set-env", options.env, "");
        set.add_optional("net", options.net, "default", "default", "");
        set.add_custom({"readonly-rootfs", "", Flag::Value::lenient, "false", "true",
                        [this](const std::string& value) { options.readonly = value; }});
        bool unused = false;
        set.add("store-only", unused, "").deprecate("use --pull-policy=never instead");
        set.add_custom({"old", "", Flag::Value::boolean, "", "true", [](const std::string&) {}})
            .deprecate("use --new instead");
    }

    Words parse(const Words& words, bool interspersed = true)
    {
        return FlagParser{{&set}, [this](const std::string& warning) { warnings.push_back(warning); }}.parse(
            words, interspersed);
    }

    std::string error(const Words& words)
    {
        try {
            parse(words);
        } catch (const FlagError& error) {
            return error.what();
        }
        return "no error";
    }
};

} // namespace

TEST_CASE("flags: values with = and as the next token are the same, and may begin with a dash")
{
    Fixture f;
    CHECK(f.parse({"a", "--format=json", "--count", "-3", "b", "--grace-period", "1.5h"}) == Words{"a", "b"});
    CHECK(f.options.format == "json");
    CHECK(f.options.count == -3);
    CHECK(f.options.grace == 90min);
}

TEST_CASE("flags: a bool takes no separate value, an optional value only with =")
{
    Fixture f;
    CHECK(f.parse({"--full", "false", "--net", "host"}) == Words{"false", "host"});
    CHECK(f.options.full);
    CHECK(f.options.net == "default");
    f.parse({"--full=F", "--net=none"});
    CHECK_FALSE(f.options.full);
    CHECK(f.options.net == "none");
}

TEST_CASE("flags: --readonly-rootfs takes the next token only if that is a bool")
{
    Fixture f;
    CHECK(f.parse({"--readonly-rootfs", "false", "x"}) == Words{"x"});
    CHECK(f.options.readonly == "false");
    CHECK(f.parse({"--readonly-rootfs", "x"}) == Words{"x"});
    CHECK(f.options.readonly == "true");
    f.parse({"--readonly-rootfs"});
    CHECK(f.options.readonly == "true");
}

TEST_CASE("flags: the last scalar wins, lists accumulate, a map refuses the same key")
{
    Fixture f;
    f.parse({"--format=a", "--format=b", "--volume=x", "--volume", "y", "--set-env=A=1", "--set-env=B=a=b"});
    CHECK(f.options.format == "b");
    CHECK(f.options.volumes == Words{"x", "y"});
    CHECK(f.options.env == StringMap{{"A", "1"}, {"B", "a=b"}});
    CHECK(f.error({"--set-env=A=2"}) == R"(invalid argument "A=2" for --set-env=A=2: key "A" already set)");
    CHECK(f.error({"--set-env", "x"}) == R"(invalid argument "x" for --set-env: must be specified as key=value)");
}

TEST_CASE("flags: every documented error text")
{
    Fixture f;
    CHECK(f.error({"--foo"}) == "unknown flag: --foo");
    CHECK(f.error({"--foo=bar"}) == "unknown flag: --foo");
    CHECK(f.error({"-x"}) == R"(unknown shorthand flag: "x" in -x)");
    CHECK(f.error({"-xyz"}) == R"(unknown shorthand flag: "x" in -xyz)");
    CHECK(f.error({"--format"}) == "flag needs an argument: --format");
    CHECK(f.error({"---"}) == "bad flag syntax: ---");
    CHECK(f.error({"--=x"}) == "bad flag syntax: --=x");
    CHECK(f.error({"--full=maybe"}) == R"(invalid argument "maybe" for --full=maybe: must be true or false)");
    CHECK(f.error({"--count=1x"}) == R"(invalid argument "1x" for --count=1x: must be an integer)");
    CHECK(f.error({"--grace-period", "5"}).starts_with(R"(invalid argument "5" for --grace-period: )"));
}

TEST_CASE("flags: -- ends them; a single - is a positional; help is help from anywhere")
{
    Fixture f;
    CHECK(f.parse({"a", "--", "--full", "-"}) == Words{"a", "--full", "-"});
    CHECK_FALSE(f.options.full);
    CHECK(f.parse({"-", "--full"}) == Words{"-"});
    CHECK_THROWS_AS(f.parse({"a", "-h"}), HelpRequested);
}

TEST_CASE("flags: not interspersed stops at the first positional and leaves the rest alone")
{
    Fixture f;
    CHECK(f.parse({"--full", "img", "--bogus", "--", "x"}, false) == Words{"img", "--bogus", "--", "x"});
    CHECK(f.parse({"--full", "--", "x"}, false) == Words{"--", "x"});
}

TEST_CASE("flags: a deprecated flag works and warns")
{
    Fixture f;
    f.parse({"--old"});
    CHECK(f.warnings == std::vector<std::string>{"Flag --old has been deprecated, use --new instead"});
}

TEST_CASE("global flags: directories are made absolute, an empty one is refused")
{
    Context context;
    FlagSet set;
    context.declare_flags(set);
    const FlagParser parser{{&set}, {}};
    parser.parse(Words{"--dir=/x/../y"}, true);
    CHECK(context.global.dir == "/y");
    CHECK_THROWS_WITH_AS(parser.parse(Words{"--local-config="}, true),
                         R"(invalid argument "" for --local-config=: "" is not a valid directory)", FlagError);
}

TEST_CASE("--insecure-options: names, groups, and what is refused")
{
    CHECK_FALSE(InsecureOptions::parse("").image);
    CHECK(InsecureOptions::parse("Image,NONE").image);
    const auto fetch = InsecureOptions::parse("all-fetch");
    CHECK(fetch.image);
    CHECK(fetch.pubkey);
    CHECK_FALSE(fetch.seccomp);
    CHECK(InsecureOptions::parse("all").paths);
    CHECK_THROWS_WITH(InsecureOptions::parse("image,bogus"), R"(unknown option "bogus")");
    CHECK_THROWS_WITH(InsecureOptions::parse("image,image"), R"(duplicated option "image")");
}

TEST_CASE("flags: short forms, for those that have one")
{
    FlagSet flags;
    bool follow = false;
    int lines = 0;
    flags.add("follow", follow, "").short_for('f');
    flags.add("lines", lines, "").short_for('n');
    const FlagParser parser{{&flags}, {}};
    CHECK(parser.parse(Words{"-f", "x", "-n", "5"}, true) == Words{"x"});
    CHECK(follow);
    CHECK(lines == 5);
    parser.parse(Words{"-n7"}, true);
    CHECK(lines == 7);
    CHECK_THROWS_AS(parser.parse(Words{"-fn"}, true), FlagError);
    CHECK_THROWS_AS(parser.parse(Words{"-n"}, true), FlagError);
}

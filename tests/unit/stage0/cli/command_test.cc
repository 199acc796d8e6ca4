// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "stage0/cli/command.hh"
#include "stage0/cli/help.hh"

using namespace rocket;
using namespace rocket::cli;

namespace
{

struct Options {
    bool full = false;
    Duration grace = std::chrono::minutes{30};
    std::string format;
    std::string net = "default";
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("full", options.full, "use long output format");
    flags.add("grace-period", options.grace, "duration to wait");
    flags.add("format", options.format, "json or json-pretty");
    flags.add_optional("net", options.net, "default", "default", "networks");
    flags.add("secret", options.full, "not in help").hide();
}

int nothing(Invocation&, const Options&)
{
    return 7;
}

const std::vector<Command> table{
    command<Options>({.path = {"gc"}, .arguments = "", .purpose = "p", .description = ""}, declare, nothing),
    command<Options>({.path = {"image", "cat-manifest"}, .arguments = "IMAGE", .purpose = "p", .description = ""},
                     declare, nothing),
    command<Options>({.path = {"image", "list"}, .arguments = "", .purpose = "p", .description = ""}, declare, nothing),
    command<Options>({.path = {"list"}, .arguments = "", .purpose = "list pods", .description = ""}, declare, nothing),
    command<Options>({.path = {"run"}, .arguments = "IMAGE", .purpose = "p", .description = ""}, declare, nothing),
    command<Options>({.path = {"run-prepared"}, .arguments = "UUID", .purpose = "p", .description = ""}, declare,
                     nothing),
};

int run(const Words& words)
{
    Context context;
    return dispatch(table, context, words);
}

} // namespace

TEST_CASE("commands: any unambiguous prefix at every level, an exact name always wins")
{
    CHECK(resolve_word(table, {}, "im") == "image");
    CHECK(resolve_word(table, {"image"}, "l") == "list");
    CHECK(resolve_word(table, {}, "run") == "run");
    CHECK(resolve_word(table, {}, "run-") == "run-prepared");
    CHECK(resolve_word(table, {}, "ru") == "");
    CHECK(resolve_word(table, {}, "") == "");
    CHECK(resolve_word(table, {}, "lists") == "");
}

TEST_CASE("commands: names that look alike")
{
    CHECK(similar_names(table, {}, "lsit") == std::vector<std::string>{"list"});
    CHECK(similar_names(table, {}, "ru") == std::vector<std::string>{"gc", "run", "run-prepared"});
    CHECK(similar_names(table, {}, "something").empty());
}

TEST_CASE("dispatch: global flags before or after the word, command flags before it only with =")
{
    CHECK(run({"--dir", "run", "run"}) == 7); // the value "run" is not the command (Q10)
    CHECK(run({"--grace-period=1h", "gc"}) == 7);
    CHECK(run({"image", "--debug", "list"}) == 7);
    CHECK(run({"--full", "gc"}) == exit_failure);
    CHECK(run({"bogus"}) == exit_failure);
    CHECK(run({"image", "bogus"}) == exit_failure);
    CHECK(run({"image"}) == 0);
    CHECK(run({}) == 2);
    CHECK(run({"gc", "--help"}) == 0);
}

TEST_CASE("help: sections, TABs, alphabetical flags with their defaults")
{
    FlagSet global;
    bool help = false;
    global.add("help", help, "help for this command");
    const auto& list = table[3];
    CHECK(command_help(list, list.make()->flags, global) == "NAME:\n\tlist - list pods\n\n"
                                                            "USAGE:\n\trocket list\n\n"
                                                            "OPTIONS:\n"
                                                            "      --format=\"\"\t\tjson or json-pretty\n"
                                                            "      --full[=false]\t\tuse long output format\n"
                                                            "      --grace-period=30m0s\tduration to wait\n"
                                                            "      --net[=default]\t\tnetworks\n\n"
                                                            "GLOBAL OPTIONS:\n"
                                                            "  -h, --help[=false]\thelp for this command\n");
}

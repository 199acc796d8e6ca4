// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/complete.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::cli;

namespace
{

struct Options {
    bool full = false;
    std::string format, net = "default", file;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("full", options.full, "use long output format");
    flags.add("format", options.format, "json or json-pretty");
    flags.add("file", options.file, "a file");
    flags.add("old", options.file, "hidden").hide();
    flags.add_optional("net", options.net, "default", "default", "networks");
}

int nothing(Invocation&, const Options&)
{
    return 0;
}

Command named(std::vector<std::string> path, bool hidden = false)
{
    return command<Options>({.path = std::move(path), .arguments = "", .purpose = "p", .hidden = hidden}, declare,
                            nothing);
}

const std::vector<Command> table{named({"gc"}),           named({"image", "list"}), named({"image", "rm"}),
                                 named({"secret"}, true), named({"run"}),           named({"status"})};

struct Host {
    std::string dir;
    std::vector<std::string> asked;

    std::vector<std::string> words(const Words& line)
    {
        FlagSet global;
        global.add("dir", dir, "data directory");
        const auto answer = [&](std::string what) {
            asked.push_back(dir + what);
            return Candidates{{what + "-a", ""}, {what + "-b", ""}};
        };
        std::vector<std::string> found;
        for (auto& candidate : complete(table, global, line,
                                        {.pods = [&](const auto&) { return answer("pod"); },
                                        .images = [&] { return answer("image"); },
                                        .networks = [&] { return answer("net"); }}))
            found.push_back(std::move(candidate.word));
        return found;
    }
};

std::vector<std::string> words(const Words& line)
{
    return Host{}.words(line);
}

using List = std::vector<std::string>;

} // namespace

TEST_CASE("complete: commands, at every level, without the hidden ones")
{
    CHECK(words({}) == List{"gc", "image", "run", "status"});
    CHECK(words({"i"}) == List{"image"});
    CHECK(words({"im", ""}) == List{"list", "rm"}); // as dispatch understands it
    CHECK(words({"image", "x"}).empty());
    CHECK(words({"s"}) == List{"status"});
}

TEST_CASE("complete: flags of the command and global ones, without the hidden ones")
{
    CHECK(words({"gc", "--f"}) == List{"--file=", "--format=", "--full"});
    CHECK(words({"gc", "--o"}).empty());
    CHECK(words({"--"}) == List{"--dir="});
    CHECK(words({"gc", "--d"}) == List{"--dir="});
}

TEST_CASE("complete: values of flags, behind = or as a word")
{
    CHECK(words({"gc", "--format="}) == List{"--format=json", "--format=json-pretty"});
    CHECK(words({"gc", "--format", "json-"}) == List{"json-pretty"});
    CHECK(words({"gc", "--full="}) == List{"--full=true", "--full=false"});
    CHECK(words({"gc", "--net=net-b"}) == List{"--net=net-b"});
    CHECK(words({"gc", "--file="}).empty()); // the shell's business
    CHECK(words({"gc", "--nonsense="}).empty());
}

TEST_CASE("complete: arguments, as many as there may be, and nothing of what an app is given")
{
    CHECK(words({"status", ""}) == List{"pod-a", "pod-b"});
    CHECK(words({"status", "--full", "pod-b"}) == List{"pod-b"});
    CHECK(words({"status", "pod-a", ""}).empty());
    CHECK(words({"image", "rm", "image-a", ""}) == List{"image-a", "image-b"});
    CHECK(words({"run", "x", "--", ""}).empty());
    CHECK(words({"run", "x", "--", "--f"}).empty());
    CHECK(words({"run", "x", "--", "y", "---", ""}) == List{"image-a", "image-b"});
    CHECK(words({"gc", ""}).empty());
    CHECK(words({"nonsense", ""}).empty());
}

TEST_CASE("complete: global flags count before the host is asked")
{
    Host host;
    host.words({"--dir=/x/", "status", ""});
    host.words({"status", "--dir", "/y/", ""});
    CHECK(host.asked == List{"/x/pod", "/y/pod"});
}

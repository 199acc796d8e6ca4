// SPDX-License-Identifier: Apache-2.0
// The program `network`, beside the entry points of stage1: it alone calls plugins and nftables, for the supervisor and
// for gc, and can be called by hand. The working directory is the pod directory. An error goes to stdout, serialized,
// if the caller wants to hand it on (--report), else to stderr; exit status 0, 1 (something could not be undone) or
// 254.
//
//   network [--report] add|check|del UUID [CNI_NETNS]
#include <unistd.h>

#include <string_view>
#include <vector>

#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/net/network.hh"

namespace
{

using namespace rocket;

constexpr int own_failure = 254;
constexpr int left_over = 1;

struct Arguments {
    bool report = false;
    std::string verb, uuid, netns;
};

Arguments parse(int argc, char** argv)
{
    std::vector<std::string> words{argv + 1, argv + argc};
    Arguments arguments;
    if (!words.empty() && words.front() == "--report") {
        arguments.report = true;
        words.erase(words.begin());
    }
    const bool adds = !words.empty() && words.front() == "add";
    const bool deletes = !words.empty() && words.front() == "del";
    const bool checks = !words.empty() && words.front() == "check";
    const bool fits = adds ? words.size() == 3 : deletes ? words.size() == 2 || words.size() == 3 : words.size() == 2;
    if (!fits || (!adds && !checks && !deletes))
        fail(Error::Kind::usage,
             "usage: network add UUID CNI_NETNS | network check UUID | network del UUID [CNI_NETNS]");
    arguments.verb = words[0];
    arguments.uuid = words[1];
    arguments.netns = words.size() == 3 ? words[2] : "";
    return arguments;
}

int act(const Arguments& arguments)
{
    const auto pod = sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
    const auto warn = [](const Error& error) { log::error(error, "warning"); };
    stage1::Network network{model::PodId::parse(arguments.uuid), pod.get()};
    if (arguments.verb == "add")
        network.set_up(arguments.netns, warn);
    else if (arguments.verb == "check")
        network.check();
    else if (!network.tear_down(arguments.netns, warn))
        return left_over;
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    ensure_standard_fds();
    log::set_prefix("network");
    Arguments arguments;
    try {
        arguments = parse(argc, argv);
        return act(arguments);
    } catch (const Error& error) {
        if (arguments.report)
            sys::write_all(STDOUT_FILENO, error.serialize());
        else
            log::error(error);
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    return own_failure;
}

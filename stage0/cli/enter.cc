// SPDX-License-Identifier: Apache-2.0
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/choose_app.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/uuid_args.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/pod/stage1_call.hh"
#include "stage0/pod/wait.hh"

namespace rocket::cli
{

namespace
{

using pod::Pod;
using pod::State;
using text::quoted;

struct Options {
    std::string app;
    std::string uuid_file;
    std::string user;
    std::string group;
    std::string working_directory;
    Words environment;
    bool as_root = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("app", options.app, "name of the app to enter within the specified pod");
    declare_uuid_file(flags, options.uuid_file);
    flags.add("user", options.user, "run the command as this user of the app's image, instead of the app's own");
    flags.add("group", options.group, "run the command as this group of the app's image, instead of the app's own");
    flags.add("working-dir", options.working_directory, "run the command in this directory of the app, instead of /");
    flags.add("workdir", options.working_directory, "the same as --working-dir");
    flags.add("env", options.environment,
              "set an environment variable of the command: NAME=VALUE; can be given several times");
    flags.add("as-root", options.as_root,
              "run the command as root in the pod; never with more rights than the app has");
}

// For a pod that has just been started. It is not ready as long as one app is not, which can be for good: then it is
// stage1 that knows whether the app can be entered.
void wait_for_start(Pod& pod)
{
    constexpr std::chrono::seconds patience{5};
    const auto ended = [](const Pod& p) { return p.state() != State::running; };
    const auto has_pid = [&](const Pod& p) { return p.mtime(model::pod_dir::pid1) || ended(p); };
    const auto ready = [&](const Pod& p) { return is_ready(p) || ended(p); };
    pod::wait_until(pod, has_pid, {});
    pod::wait_until(pod, ready, std::chrono::steady_clock::now() + patience);
    if (ended(pod))
        fail(Error::Kind::usage, "pod {} isn't currently running", quoted(pod.id().str()));
}

std::string pid_of(const Pod& pod)
{
    const auto info = pod::read_info(pod, pod::Detail::full);
    if (!info.pid)
        fail(Error::Kind::corrupt, "the pid of pod {} is not readable", quoted(pod.id().str()));
    return std::to_string(*info.pid);
}

// Of the file, else the first word.
std::string take_uuid(Words& words, const std::string& file)
{
    if (!file.empty())
        return read_uuid_file(file);
    if (words.empty())
        throw UsageRequested{};
    auto uuid = words.front();
    words.erase(words.begin());
    return uuid;
}

int run(Invocation& invocation, const Options& options)
{
    auto command = invocation.args;
    auto pod = pod::find(model::Layout{invocation.context.data_dir()}, take_uuid(command, options.uuid_file));
    if (pod.state() != State::running)
        fail(Error::Kind::usage, "pod {} isn't currently running", quoted(pod.id().str()));
    const auto app = choose_app(pod, options.app, "enter");
    wait_for_start(pod);

    std::vector<std::string> words{fmt::format("--pid={}", pid_of(pod)), fmt::format("--appname={}", app)};
    const auto add_if = [&](bool wanted, std::string word) {
        if (wanted)
            words.push_back(std::move(word));
    };
    add_if(!options.user.empty(), "--user=" + options.user);
    add_if(!options.group.empty(), "--group=" + options.group);
    add_if(!options.working_directory.empty(), "--cwd=" + options.working_directory);
    for (const auto& assignment : options.environment)
        words.push_back("--env=" + assignment);
    add_if(options.as_root, "--as-root");
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    if (command.empty()) {
        log::print("no command specified, assuming \"/bin/bash\"");
        words.emplace_back("/bin/bash");
    }
    pod::exec_stage1(pod, "enter", std::move(words));
}

Command entering(std::vector<std::string> path)
{
    return command<Options>({.path = std::move(path),
                             .arguments = "[--app=NAME] {UUID | --uuid-file=FILE} [CMD [ARGS...]]",
                             .purpose = "enter the namespaces of an app within a rocket pod",
                             .description = "Runs a command, /bin/bash if none is given, as part of an app: in its "
                                            "namespaces and cgroup, as its\nuser and with no more rights than it has.",
                             .interspersed = false,
                             .needs_root = true},
                            declare, run);
}

} // namespace

Command enter_command()
{
    return entering({"enter"});
}

Command app_exec_command() // for CRI shims
{
    return entering({"app", "exec"});
}

} // namespace rocket::cli

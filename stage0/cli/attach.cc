// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "common/model/streams.hh"
#include "common/sys/text.hh"
#include "stage0/cli/choose_app.hh"
#include "stage0/cli/commands.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::cli
{

namespace
{

using text::quoted;

struct Options {
    std::string app;
    std::string mode = "auto";
    std::string detach_keys = "ctrl-p,ctrl-q";
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("app", options.app, "name of the app to attach to");
    flags.add("mode", options.mode,
              "auto: everything the app offers; list: print what that is; or some of stdin,stdout,stderr, or of "
              "tty,tty-in,tty-out");
    flags.add("detach-keys", options.detach_keys,
              "keys that detach a terminal: characters or ctrl-LETTER, separated by commas; empty: none");
}

struct Endpoint {
    std::string_view name;
    bool is_terminal;
    std::vector<std::string> words; // for stage1
};

const Endpoint* find_endpoint(std::string_view name)
{
    static const std::array<Endpoint, 6> endpoints{{
        {"stdin", false, {"--stdin=true"}},
        {"stdout", false, {"--stdout=true"}},
        {"stderr", false, {"--stderr=true"}},
        {"tty", true, {"--tty-in=true", "--tty-out=true"}},
        {"tty-in", true, {"--tty-in=true"}},
        {"tty-out", true, {"--tty-out=true"}},
    }};
    for (const auto& endpoint : endpoints)
        if (endpoint.name == name)
            return &endpoint;
    return nullptr;
}

// The mode, as stage1 wants it (internals 3.8).
std::vector<std::string> words_for(const std::string& mode)
{
    if (mode.empty() || mode == "auto")
        return {"--action=auto-attach"};
    if (mode == "list")
        return {"--action=list"};
    std::vector<std::string> words{"--action=custom-attach"};
    bool terminal = false, streams = false;
    for (const auto& name : text::split(mode, ',')) {
        const auto* const endpoint = find_endpoint(name);
        if (endpoint == nullptr)
            fail(Error::Kind::usage, "invalid attach mode: unknown endpoint {}", quoted(name));
        (endpoint->is_terminal ? terminal : streams) = true;
        words.insert(words.end(), endpoint->words.begin(), endpoint->words.end());
    }
    if (terminal && streams)
        fail(Error::Kind::usage,
             "invalid attach mode: incompatible endpoints {}, cannot simultaneously attach TTY and streams",
             quoted(mode));
    return words;
}

// Else nobody would listen: what such an app writes goes to the log.
void check_streams(const pod::Pod& pod, const std::string& name)
{
    using model::StreamMode;
    for (const auto& app : pod::read_info(pod, pod::Detail::summary).apps) {
        const auto streams = model::streams_of(app.app.annotations);
        if (app.app.name == name && !streams.uses(StreamMode::stream) && !streams.uses(StreamMode::tty))
            throw Error{Error::Kind::unsupported, fmt::format("app {} has nothing to attach to", quoted(name)),
                        "start it with --stdin, --stdout or --stderr set to stream or tty; rocket logs shows what it "
                        "has written"};
    }
}

int run(Invocation& invocation, const Options& options)
{
    auto words = words_for(options.mode);
    if (invocation.args.size() != 1)
        throw UsageRequested{};
    const auto pod = pod::find(model::Layout{invocation.context.data_dir()}, invocation.args.front());
    if (pod.state() != pod::State::running)
        fail(Error::Kind::usage, "pod {} isn't currently running", quoted(pod.id().str()));
    const auto app = choose_app(pod, options.app, "attach");
    check_streams(pod, app);
    words.push_back("--app=" + app);
    words.push_back("--detach-keys=" + options.detach_keys);
    words.push_back(invocation.context.global.debug ? "--debug=true" : "--debug=false");
    pod::exec_stage1(pod, "attach", std::move(words));
}

} // namespace

Command attach_command()
{
    return command<Options>(
        {.path = {"attach"},
         .arguments = "[--app=NAME] [--mode=MODE] UUID",
         .purpose = "attach to the streams or the terminal of a running app",
         .description = "Connects stdin, stdout and stderr with those of an app that was started with "
                        "--stdin, --stdout or --stderr\nset to stream or tty. Any number of clients can be attached; "
                        "each sees everything, and first the last\nlines. The end of stdin becomes the app's, unless "
                        "others are attached to it. Ends with the app's streams,\nor when the detach keys are typed.",
         .needs_root = true},
        declare, run);
}

} // namespace rocket::cli

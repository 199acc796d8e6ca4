// SPDX-License-Identifier: Apache-2.0
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/make_pod.hh"
#include "stage0/cli/start_flags.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    PodFlags pod;
    StartFlags start;
    SandboxRequest sandbox;
};

void declare(Options& options, FlagSet& flags)
{
    options.pod.declare_sandbox(flags);
    options.start.declare_sandbox(flags);
    flags.add_custom({"port", "ports to expose on the host: NAME:tcp|udp:PODPORT:HOSTIP:HOSTPORT",
                      Flag::Value::required, "[]", "", [&options](const std::string& value) {
                          options.sandbox.ports.push_back(model::ExposedPort::parse_direct(value));
                      }});
    flags.add_custom({"annotation", "annotation of the pod: NAME=VALUE", Flag::Value::required, "[]", "",
                      [&options](const std::string& value) {
                          const auto equals = value.find('=');
                          if (equals == 0 || equals == std::string::npos)
                              fail(Error::Kind::usage, "must be specified as key=value");
                          const auto name = model::AcIdentifier::parse(value.substr(0, equals));
                          if (model::find(options.sandbox.annotations, name.str()) != nullptr)
                              fail(Error::Kind::usage, "key {} already set", text::quoted(name.str()));
                          model::set(options.sandbox.annotations, name, value.substr(equals + 1));
                      }});
    flags.add("user-annotation", options.sandbox.user_annotations, "user annotation of the pod: NAME=VALUE");
    flags.add("user-label", options.sandbox.user_labels, "user label of the pod: NAME=VALUE");
}

Start check_all(const Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    auto plan = check(options.start, invocation.context);
    plan.arguments.emplace_back("--mutable");
    return plan;
}

// Errors exit with 1, until stage1 takes over (cli 8.17).
int run(Invocation& invocation, Options& options)
{
    constexpr int sandbox_failure = 1;
    try {
        const auto plan = check_all(invocation, options);
        auto pod = make_pod(invocation.context,
                            {.flags = options.pod,
                             .stage = pod::PodStage::run,
                             .check = [&](const model::PodManifest& manifest) { check_ports(plan, manifest); },
                             .sandbox = &options.sandbox});
        start(plan, std::move(pod));
    } catch (const CommandError& error) {
        log::error(error, error.context);
    } catch (const Error& error) {
        log::error(error);
    }
    return sandbox_failure;
}

} // namespace

Command app_sandbox_command()
{
    return command<Options>({.path = {"app", "sandbox"},
                             .arguments = "",
                             .purpose = "start a pod without apps",
                             .description =
                                 "Makes a pod that apps can be added to while it runs, and becomes its supervisor. The "
                                 "pod is ready when\nits PID 1 is, and lives until it is stopped: apps never end it.",
                             .needs_root = true},
                            declare, run);
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/plan.hh"

#include <sched.h>
#include <sys/utsname.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::stage1::fly
{

namespace
{

std::string host_name()
{
    utsname host{};
    ::uname(&host); // cannot fail
    return host.nodename;
}

// Without a word about it, a stream is the caller's.
model::Streams streams_of(const AppPlan& app, const model::Annotations& annotations, bool has_terminal)
{
    using Mode = model::StreamMode;
    const auto& wanted = app.streams;
    if (wanted.uses(Mode::stream) || wanted.uses(Mode::tty))
        throw Error{Error::Kind::unsupported,
                    fmt::format("app {}: in a fly pod no stream can be \"stream\" or \"tty\"", text::quoted(app.name)),
                    "its streams are those of the caller; use the default stage1 to attach to an app"};
    if (wanted.uses(Mode::interactive) && has_terminal)
        return wanted;
    const auto null_or_callers = [&](std::string_view stream, Mode mode) {
        const bool asked_for = model::find(annotations, model::stream_annotation(stream).str()) != nullptr;
        return mode == Mode::null && asked_for ? Mode::null : Mode::log;
    };
    return {null_or_callers("stdin", wanted.input), null_or_callers("stdout", wanted.output),
            null_or_callers("stderr", wanted.error)};
}

} // namespace

Plan make_plan(const Pod& pod, const RunOptions& options, bool has_terminal)
{
    if (pod.manifest.apps.size() != 1)
        throw Error{Error::Kind::usage, "fly only supports 1 application per Pod",
                    "run each app in a pod of its own, or all of them with the default stage1"};
    if (options.is_mutable)
        throw Error{Error::Kind::unsupported, "the app of a fly pod does not change", "use the default stage1"};
    if (options.private_users)
        throw Error{Error::Kind::unsupported, "a fly pod has no user namespace",
                    "do without --private-users, or use the default stage1"};
    if (options.network == NetworkKind::planned)
        throw Error{Error::Kind::unsupported, "a fly pod has no networks of its own",
                    "say --net=host, or --net=none for a loopback only, or use the default stage1"};
    if (!pod.manifest.isolators.empty())
        throw Error{Error::Kind::unsupported, "a fly pod has no isolators of its own",
                    "it is one app: say them of that, or use the default stage1"};
    auto plan = stage1::make_plan(pod, options);
    if (plan.in_user_namespace) // the process tree that its /proc shows is the host's
        throw Error{Error::Kind::unsupported, "fly pods are the host's root's to make", "use the default stage1"};
    auto& app = plan.apps.front();
    app.root.clear(); // the app's root is all there is
    if (app.log_file)
        throw Error{Error::Kind::unsupported, "a fly pod has no log mode",
                    "its app writes to the caller itself; use the default stage1 for log files"};
    app.streams = streams_of(app, pod.manifest.apps.front().annotations, has_terminal);
    if (app.policy != model::AppPolicy{})
        throw Error{Error::Kind::unsupported,
                    fmt::format("app {}: in a fly pod nobody follows annotations rocket/...", text::quoted(app.name)),
                    "say it to what starts the pod, such as Restart= of a unit, or use the default stage1"};
    plan.new_ipc = options.ipc == Ipc::isolated;
    plan.new_uts = !options.hostname.empty();
    if (!plan.new_uts)
        plan.hostname = host_name();
    return plan;
}

std::uint64_t namespaces(const Plan& plan)
{
    std::uint64_t flags = CLONE_NEWNS;
    if (plan.new_ipc)
        flags |= CLONE_NEWIPC;
    if (plan.new_network)
        flags |= CLONE_NEWNET;
    if (plan.new_uts)
        flags |= CLONE_NEWUTS;
    return flags;
}

} // namespace rocket::stage1::fly

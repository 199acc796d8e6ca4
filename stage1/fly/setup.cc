// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/setup.hh"

#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/sys/mount.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/audit.hh"
#include "stage1/process_clone.hh"
#include "stage1/steps.hh"

namespace rocket::stage1::fly
{

namespace
{

// What is mounted into the app file by file is cloned from two file systems, which have to be mounted somewhere for
// that: on the host's /run and /dev in our own mount namespace, which go with the host's root.
void mount_workshop(Construction& pod)
{
    pod.run = InRoot{std::move(pod.sources.run)};
    mount::attach(pod.run.fd(), sys::open(AT_FDCWD, "/run", O_PATH | O_DIRECTORY).get());
    sys::make_dir(pod.run.fd(), "rocket", 0755);
    make_device_nodes(pod, sys::open(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY));
}

void mount_app_root(Construction& pod)
{
    auto& sources = pod.sources.apps.front();
    mount::attach(sources.root.get(), sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY).get());
    pod.root = InRoot{sys::duplicate(sources.root.get())};
    pod.apps.push_back({.plan = pod.plan.apps.front(), .sources = sources, .root = InRoot{std::move(sources.root)}});
}

void prepare_app(Construction& pod)
{
    auto& app = pod.apps.front();
    write_name_files(pod);
    prepare_name_files(pod, app);
    const auto places = find_volume_places(app);
    mount_app_devices(pod, app);
    mount_kernel_trees(pod);
    restrict_kernel_trees(pod);
    mount_volumes(app, places);
    mount_name_files(pod, app);
    if (app.plan.read_only)
        mount::set_attributes(app.root.fd(), MOUNT_ATTR_RDONLY, 0, false);
}

void check_all_mounts(Construction& pod)
{
    check_mounts(mount_rules_without_init(pod.plan, volume_places(pod)), own_mountinfo(pod));
}

// A device that an app makes in a volume could be opened by others on the host. In the default flavour the pod's device
// policy is in the way of that; here nobody who is confined makes any (ACE-13).
void withhold_mknod(Construction& pod)
{
    constexpr std::uint64_t mknod = std::uint64_t{1} << CAP_MKNOD;
    auto& spec = pod.specs.front();
    if (!pod.facts.restrict_capabilities || !pod.facts.restrict_paths || (spec.bounding_set & mknod) == 0)
        return;
    spec.bounding_set &= ~mknod;
    if (pod.pod.app(0).isolators.capabilities())
        spec.reports.emplace_back("CAP_MKNOD is not given to apps of fly pods");
}

constexpr Step steps[] = {
    {"making the mounts private", make_mounts_private},
    {"setting the host name", set_host_name},
    {"starting the loopback interface", start_loopback},
    {"making devices", mount_workshop},
    {"mounting the app's root", mount_app_root},
    {"preparing the app", prepare_app},
    {"looking up the app", resolve_apps},
    {"confining the app", withhold_mknod},
    {"leaving the host's root", [](Construction& pod) { leave_host_root(pod); }},
    {"checking the mounts", check_all_mounts}, // when all are there, and those of the host are not
};

// Through our own procfs (R6).
void set_oom_score(const Construction& pod, const AppSpec& spec)
{
    if (!spec.oom_score_adjust)
        return;
    const auto file = sys::open_resolved(pod.proc.get(), "self/oom_score_adj", O_WRONLY,
                                         RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
    sys::write_all(file.get(), fmt::to_string(*spec.oom_score_adjust));
}

void close_streams(const AppRoot& app)
{
    const auto null = sys::open(app.dev.fd(), "null", O_RDWR | O_NOCTTY);
    const auto& streams = app.plan.streams;
    const std::pair<model::StreamMode, int> all[] = {
        {streams.input, STDIN_FILENO}, {streams.output, STDOUT_FILENO}, {streams.error, STDERR_FILENO}};
    for (const auto& stream : all)
        if (stream.first == model::StreamMode::null)
            sys::check([&] { return ::dup2(null.get(), stream.second); }, "arranging descriptors");
}

// The caller's terminal is nobody's in the pod; with --interactive the app gets one of its own devpts.
void start_session(Construction& pod)
{
    sys::check([] { return ::setsid(); }, "starting a session");
    const auto& app = pod.apps.front();
    if (!app.sources.terminal)
        return close_streams(app);
    const Fd terminal{sys::check(
        [&] { return ::ioctl(app.sources.terminal->master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); },
        "opening the app's terminal")};
    sys::check([&] { return ::ioctl(terminal.get(), TIOCSCTTY, 0); }, "taking the terminal");
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        sys::check([&] { return ::dup2(terminal.get(), standard); }, "arranging descriptors");
}

[[noreturn]] void execute_or_report(const Program& program, const Channel& parent) noexcept
{
    try {
        execute(program);
    } catch (const ExecError& error) {
        parent.send(error);
        ::_exit(exec_failed);
    } catch (const Error& error) {
        parent.send(error);
    }
    ::_exit(set_up_failed);
}

// As the app, before it (APP-10). What it ends with is what we end with, if it fails.
void run_pre_start(const AppSpec& spec, const Channel& parent)
{
    auto handler = clone_into(0, -1);
    if (!handler)
        execute_or_report(program_of(spec, *spec.pre_start), parent);
    const auto status = handler.wait();
    if (status.ok())
        return;
    parent.send(
        Error{Error::Kind::system, fmt::format("pre-start handler {} failed", text::quoted(spec.pre_start->path))});
    if (status.signal != 0)
        die_of(status.signal);
    ::_exit(status.code);
}

void set_up(const SetUp& what)
{
    Construction pod{.pod = what.pod, .plan = what.plan, .sources = what.sources, .facts = what.facts};
    run(steps, pod);
    const auto& spec = pod.specs.front();
    what.parent.send(spec);
    what.parent.wait_for_go();
    set_oom_score(pod, spec);
    leave_session_keyring();
    start_session(pod);
    ::umask(022);
    reset_signals();
    if (spec.pre_start)
        run_pre_start(spec, what.parent);
    execute_or_report(program_of(spec, spec.main), what.parent);
}

} // namespace

Program program_of(const AppSpec& spec, const Command& command)
{
    std::vector<std::string> environment;
    for (const auto& variable : spec.environment)
        environment.push_back(variable.name + '=' + variable.value);
    return {.path = command.path,
            .argv = command.argv,
            .env = std::move(environment),
            .working_directory = spec.working_directory,
            .credentials = credentials_of(spec)};
}

void set_up_and_become_app(const SetUp& what) noexcept
{
    run_child(what.parent, [&] { set_up(what); });
}

} // namespace rocket::stage1::fly

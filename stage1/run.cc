// SPDX-License-Identifier: Apache-2.0
// The entry point `run` of the stage1 contract: stage0 becomes this program, in the same process, with the pod
// directory as its working directory. From here on this process is the pod's supervisor. Exit status: cli 9.5.
#include <poll.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "common/model/layout.hh"
#include "common/sys/cgroup.hh"
#include "common/sys/log.hh"
#include "common/sys/path.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "common/sys/trace.hh"
#include "stage1/host_journal.hh"
#include "stage1/launch.hh"
#include "stage1/machined.hh"
#include "stage1/metadata.hh"
#include "stage1/net/pod_network.hh"
#include "stage1/placement.hh"
#include "stage1/pod_group.hh"
#include "stage1/pod_limits.hh"
#include "stage1/pod_socket.hh"
#include "stage1/process_state.hh"
#include "stage1/records.hh"
#include "stage1/registration_by_host.hh"
#include "stage1/run_arguments.hh"
#include "stage1/security_labels.hh"
#include "stage1/supervisor.hh"

namespace
{

using namespace rocket;
using namespace rocket::stage1;

constexpr int set_up_failed = 254;
constexpr int supervising_failed = 1;

class Run
{
public:
    explicit Run(RunArguments arguments)
        : options_{std::move(arguments.options)},
          pod_{load_pod(arguments.id, sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY))}, plan_{
                                                                                              make_plan(pod_, options_)}
    {
    }

    int supervise();

private:
    void make_groups(LaunchOptions& launching);
    void place_in_scope(pid_t init);
    void prepare_group() const;
    void take_sockets();
    Launched start();
    void register_machine(pid_t init);

    RunOptions options_;
    Pod pod_;
    Plan plan_;
    HostCgroups host_ = host_cgroups(options_.register_machine);
    Placement placement_ = choose_group(pod_.id, host_);
    PodGroup group_;
    EventLoop loop_;
    std::optional<PodNetwork> network_;
    HostNotify notify_{loop_};
    std::optional<Machined> machined_;
    std::optional<RegistrationByHost> by_host_ = RegistrationByHost::take();
};

// Warnings are about what the host lacks; the pod runs without.
void warn(const std::string& what, const std::string& why)
{
    log::print("warning: {}: {}", what, why);
}

constexpr int dying_milliseconds = 100; // a child that has failed needs a moment to end

// A child that has ended and is not reaped yet counts as gone, too.
bool is_gone(pid_t child)
{
    const auto pidfd = open_pidfd(child);
    pollfd ended{.fd = pidfd ? pidfd->get() : -1, .events = POLLIN, .revents = 0};
    return !pidfd || ::poll(&ended, 1, dying_milliseconds) > 0;
}

// In the scope that machined makes or, failing that, below the caller's group.
void Run::place_in_scope(pid_t init)
{
    try {
        machined_.emplace(pod_.id);
        machined_->create_scope(init);
        machined_.reset();
        group_.set(cgroup::of_process(init).value_or(placement_.group), GroupOwner::host_systemd);
    } catch (const Error& error) {
        machined_.reset();
        if (is_gone(init))
            return; // set-up has failed, and launch() says why
        warn("the pod is not registered as a machine", error.what());
        record_start(pod_.dir.get(), placement_.fallback);
        make_group(placement_, placement_.fallback, host_.own);
        group_.set(placement_.fallback, GroupOwner::ours);
        cgroup::move(group_.name(), init);
        prepare_group();
        return;
    }
    record_start(pod_.dir.get(), group_.name());
    prepare_group();
}

void Run::make_groups(LaunchOptions& launching)
{
    record_start(pod_.dir.get(), placement_.group); // before it is made: gc looks there, should we be killed meanwhile
    if (placement_.kind == Placement::Kind::scope) {
        launching.place = [this](pid_t init) { place_in_scope(init); };
        launching.facts.controllers = cgroup::available_controllers("/"); // a delegated scope gets all there are
        return;
    }
    group_.set(placement_.group, GroupOwner::ours);
    launching.facts.controllers = make_group(placement_, placement_.group, host_.own);
    prepare_group();
}

// Limits of the pod as a whole. PID 1 makes groups below; root in a user namespace is nobody in ours.
void Run::prepare_group() const
{
    if (const auto& isolators = pod_.manifest.isolators; !isolators.empty()) {
        auto facts = host_facts();
        facts.controllers = cgroup::available_controllers(group_.name());
        facts.disks = disks_to_limit(pod_.manifest);
        const auto limits = pod_limits(isolators, facts);
        for (const auto& report : limits.reports) // ISO-5
            log::print("warning: pod: {}", text::printable(report));
        apply(limits, group_.name());
    }
    if (plan_.private_users)
        cgroup::delegate(group_.name(), plan_.private_users->first, plan_.private_users->first);
}

void Run::take_sockets()
{
    const auto sockets = take_handed_sockets(pod_);
    if (sockets.empty())
        return;
    plan_.init_units = units_for(sockets, pod_);
    plan_.init_sockets = static_cast<unsigned>(sockets.size());
    plan_.init_env.emplace_back("LISTEN_PID=1");
    plan_.init_env.push_back(fmt::format("LISTEN_FDS={}", sockets.size()));
}

Launched Run::start()
{
    // By this PID 1 says that it is ready to take calls; before, it has nothing to do but become so.
    plan_.init_env.push_back(std::string{"NOTIFY_SOCKET=/run/"} + notify_socket_name);
    LaunchOptions launching;
    launching.facts = host_facts();
    launching.facts.open_files = own_open_files();
    if (const char* term = std::getenv("TERM"))
        launching.facts.term = term;
    if (const auto* const speaker = plan_.is_mutable ? nullptr : speaker_of(pod_)) {
        launching.facts.speaker = speaker->name.str();
        launching.facts.watchdog_usec = notify_.watchdog_usec();
    }
    if (options_.network == NetworkKind::planned) {
        network_.emplace(pod_);
        launching.begin_network = [this](pid_t init) { network_->begin(init); };
    }
    check_labels(pod_.manifest, launching.facts);
    launching.facts.disks = disks_to_limit(pod_.manifest);
    make_groups(launching);
    if (options_.mds_register && options_.network == NetworkKind::host)
        launching.facts.metadata_url = register_pod(pod_, nullptr);
    trace::mark("cgroup ready");
    Fd group_fd;
    if (!group_.name().empty()) {
        group_fd = cgroup::open(group_.name());
        launching.cgroup = group_fd.get();
    }
    auto launched = launch(pod_, plan_, std::move(launching));
    trace::mark("launched");
    record_init(pod_.dir.get(), launched.init.pid(), launched.apps);
    for (const auto& app : launched.apps)
        for (const auto& report : app.reports) // ISO-5
            log::print("app {}: {}", text::quoted(app.name), text::printable(report));
    return launched;
}

void Run::register_machine(pid_t init)
{
    const bool is_wanted = placement_.kind == Placement::Kind::payload && host_.wants_machine;
    if (!is_wanted || (!host_.knows_us && !by_host_)) {
        by_host_.reset();
        return;
    }
    const auto failed = [](const std::string& why) { warn("the pod is not registered as a machine", why); };
    try {
        if (const auto pidfd = host_.knows_us ? std::nullopt : open_pidfd(init)) {
            by_host_->ask(pod_.id, *pidfd, loop_, failed);
            return;
        }
        machined_.emplace(pod_.id);
        machined_->register_in_place(init, network_ ? network_->interface_indices() : std::vector<int>{}, loop_,
                                     failed);
    } catch (const Error& error) {
        failed(error.what());
    }
}

int Run::supervise()
{
    notify_.starting("starting the pod");
    take_sockets();
    share_journal_with_group(pod_);
    auto launched = start();
    if (network_) // machined is told of its interfaces
        network_->when_done(loop_, [this, init = launched.init.pid()](const Error* failed) {
            if (failed == nullptr)
                register_machine(init);
        });
    else
        register_machine(launched.init.pid());
    if (host_.booted && host_.knows_us)
        link_into_host_journal(pod_);
    try {
        return Supervisor{loop_,
                          notify_,
                          pod_,
                          plan_,
                          options_,
                          std::move(launched),
                          {group_.name(), group_.owner()},
                          network_ ? &*network_ : nullptr}
            .run();
    } catch (const Error& error) {
        log::error(error);
        record_exit(pod_.dir.get(), supervising_failed, error.what());
        return supervising_failed;
    }
}

} // namespace

int main(int argc, char** argv)
{
    ensure_standard_fds();
    log::set_prefix("run");
    trace::start("run");
    trace::mark("start");
    try {
        block_signals({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1});
        keep_lock_to_ourselves();
        auto arguments = parse_run_arguments({argv + 1, argv + argc});
        log::set_debug(arguments.options.debug);
        Run pod{std::move(arguments)};
        trace::mark("planned");
        const int status = pod.supervise();
        trace::mark("end");
        return status;
    } catch (const Error& error) {
        log::error(error);
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    return set_up_failed;
}

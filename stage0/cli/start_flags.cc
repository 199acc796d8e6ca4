// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/start_flags.hh"

#include "common/model/metadata.hh"
#include "common/model/own_users.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/net/ports.hh"
#include "stage0/pod/id_ranges.hh"
#include "stage0/pod/remove_pod.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::cli
{

namespace
{

model::NetworkPlan plan_networks(const net::Selection& selection, const StartFlags& flags,
                                 const pod::NameFiles& name_files, const GlobalOptions& global)
{
    if (!selection.is_private())
        return {};
    const auto catalog = net::load_catalog(global.system_config, global.local_config);
    for (const auto& note : catalog.notes)
        log::print(note);
    model::NetworkPlan plan{.networks = net::choose(selection, catalog),
                            .plugin_dirs = net::plugin_directories(global.system_config, global.local_config),
                            .ports = {},
                            .dns = name_files.dns,
                            .hostname = flags.names.hostname};
    net::check_plugins(plan.networks, plan.plugin_dirs);
    return plan;
}

// A supervisor that was killed gives nothing back: what its pod has published is taken back here, as by gc.
bool release_ended(const net::Holder& holder)
{
    auto pod = pod::Pod::open(model::Layout{holder.data_dir}, holder.pod);
    if (!pod)
        return true;
    const auto owned = pod::try_own(std::move(*pod));
    return owned && pod::call_stage1(owned->pod, "gc", {}).ok();
}

void check_ipc(const std::string& mode)
{
    if (mode != "auto" && mode != "private" && mode != "parent")
        fail(Error::Kind::usage, "unknown value for --ipc parameter: {}", text::printable(mode));
}

std::string network_argument(const Start& start, const StartFlags& flags)
{
    if (!start.network.is_private())
        return start.network.kind == net::Selection::Kind::host ? "host" : "none";
    return flags.nets.empty() ? "default" : fmt::format("{}", fmt::join(flags.nets, ","));
}

std::vector<std::string> stage1_arguments(const StartFlags& flags, const Start& start, const GlobalOptions& global)
{
    std::vector<std::string> words;
    const auto add_if = [&](bool wanted, std::string word) {
        if (wanted)
            words.push_back(std::move(word));
    };
    add_if(global.debug, "--debug");
    words.push_back("--net=" + network_argument(start, flags));
    add_if(flags.interactive, "--interactive");
    words.push_back("--local-config=" + global.local_config);
    add_if(!flags.names.hostname.empty(), "--hostname=" + flags.names.hostname);
    const auto& files = start.name_files;
    add_if(files.resolv_mode != "default" || files.hosts_mode != "default",
           fmt::format("--dns-conf-mode=resolv={},hosts={}", files.resolv_mode, files.hosts_mode));
    add_if(global.insecure.capabilities, "--disable-capabilities-restriction");
    add_if(global.insecure.paths, "--disable-paths");
    add_if(global.insecure.seccomp, "--disable-seccomp");
    add_if(flags.mds_register, "--mds-register");
    add_if(!flags.register_machine, "--register=no");
    words.push_back("--ipc=" + flags.ipc);
    return words;
}

void pass_on(const Fd& host)
{
    sys::set_cloexec(host.get(), false);
    ::setenv(model::own_users::descriptor_variable, std::to_string(host.get()).c_str(), 1);
}

void write_network_plan(const Start& start, const pod::Pod& pod)
{
    auto plan = start.networks;
    plan.ports = net::published_ports(model::PodManifest::parse(file::read(pod.fd(), model::pod_dir::manifest)));
    net::HostPorts{release_ended}.reserve({pod.id(), pod.layout().data()}, plan.ports);
    sys::make_dir_if_missing(pod.fd(), model::pod_dir::network, 0750);
    const auto directory = sys::open(pod.fd(), model::pod_dir::network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    file::write_volatile(directory.get(), "plan.json", plan.write(), 0640);
}

constexpr const char* net_help = "configure the pod's networking: a list of NAME[:K=V[;K=V]...], all, host or none";

} // namespace

void StartFlags::declare(FlagSet& flags)
{
    flags.add_optional("net", nets, "default", "default", net_help);
    declare_common(flags);
    flags.add("interactive", interactive, "run the pod interactively: its one app on the caller's terminal");
}

void StartFlags::declare_sandbox(FlagSet& flags)
{
    flags.add("net", nets, net_help);
    declare_common(flags);
}

void StartFlags::declare_common(FlagSet& flags)
{
    flags.add("dns", names.dns, "name servers to write in /etc/resolv.conf; 'host' to use the host's, 'none' for none");
    flags.add("dns-search", names.dns_search, "DNS search domain to write in /etc/resolv.conf");
    flags.add("dns-opt", names.dns_opt, "DNS option to write in /etc/resolv.conf");
    flags.add("dns-domain", names.dns_domain, "DNS domain to write in /etc/resolv.conf");
    flags.add("hosts-entry", names.hosts_entries, "entries to add to the pod-wide /etc/hosts, IP=NAME; or 'host'");
    flags.add("hostname", names.hostname, "pod's hostname; by default rkt-UUID");
    flags.add("ipc", ipc, "whether to stay in the host IPC namespace: auto, private or parent");
    flags.add("mds-register", mds_register, "register the pod with the metadata service");
    flags.add("register", register_machine, "register the pod with systemd-machined, for machinectl and its kin");
}

Start check(const StartFlags& flags, const Context& context)
{
    Start start{.network = net::Selection::parse(fmt::format("{}", fmt::join(flags.nets, ","))),
                .hostname = flags.names.hostname};
    if (flags.mds_register && start.network.kind == net::Selection::Kind::none)
        fail(Error::Kind::usage, "--mds-register flag does not work with --net=none. Please use 'host', 'default' or "
                                 "an equivalent network");
    if (flags.mds_register && !sys::stat_if_exists(AT_FDCWD, model::host_run::metadata_socket))
        throw Error{Error::Kind::unsupported, "could not reach the metadata service",
                    "systemctl enable --now rocket-metadata.socket"};
    check_ipc(flags.ipc);
    start.name_files = in_context("error with dns flags", [&] { return pod::name_files(flags.names); });
    start.networks = plan_networks(start.network, flags, start.name_files, context.global);
    start.arguments = stage1_arguments(flags, start, context.global);
    if (flags.register_machine)
        start.users_host = context.users_host;
    return start;
}

void check_ports(const Start& start, const model::PodManifest& pod)
{
    const auto ports = net::published_ports(pod);
    if (ports.empty())
        return;
    if (!start.network.is_private())
        fail(Error::Kind::usage, "--port flag does not work with '{}' networking",
             start.network.kind == net::Selection::Kind::host ? "host" : "none");
    net::HostPorts{release_ended}.check_free(ports);
}

void start(const Start& start, pod::OwnedPod pod)
{
    const auto& files = start.name_files;
    const int dir = pod.pod.fd();
    if (start.network.is_private())
        write_network_plan(start, pod.pod);
    if (files.resolv_mode == "stage0")
        file::write_volatile(dir, model::pod_dir::resolv_conf, files.resolv_conf);
    if (files.hosts_mode == "stage0") {
        const auto hostname = start.hostname.empty() ? "rkt-" + pod.pod.id().str() : start.hostname;
        file::write_volatile(dir, model::pod_dir::hosts, pod::hosts_with_name(files, hostname));
    }
    auto arguments = start.arguments;
    if (const auto range = pod::id_range_of(dir))
        arguments.push_back("--private-users=" + range->str());
    if (start.users_host)
        pass_on(*start.users_host);
    pod::exec_run(std::move(pod), std::move(arguments));
}

} // namespace rocket::cli

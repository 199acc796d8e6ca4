// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/start_flags.hh"

#include <algorithm>

#include "common/sys/file.hh"
#include "common/sys/text.hh"
#include "stage0/pod/id_ranges.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::cli
{

namespace
{

using text::quoted;

// NAME[:K=V[;K=V]...]
std::string network_name(const std::string& item)
{
    const auto colon = item.find(':');
    auto name = item.substr(0, colon);
    if (name.empty())
        fail(Error::Kind::usage, "netname must not be empty");
    if (colon == std::string::npos)
        return name;
    if (name == "all" || name == "host" || name == "none")
        fail(Error::Kind::usage, "arguments are not supported by special netname {}", quoted(name));
    const auto arguments = text::split(item.substr(colon + 1), ';');
    for (const auto& argument : arguments)
        if (const auto equals = argument.find('='); equals == 0 || equals == std::string::npos)
            fail(Error::Kind::usage, "network {} provided with invalid arguments: [{}]", quoted(name),
                 text::printable(fmt::format("{}", fmt::join(arguments, " "))));
    return name;
}

void check_ipc(const std::string& mode)
{
    if (mode != "auto" && mode != "private" && mode != "parent")
        fail(Error::Kind::usage, "unknown value for --ipc parameter: {}", text::printable(mode));
}

std::vector<std::string> stage1_arguments(const StartFlags& flags, const Start& start, const GlobalOptions& global)
{
    std::vector<std::string> words;
    const auto add_if = [&](bool wanted, std::string word) {
        if (wanted)
            words.push_back(std::move(word));
    };
    add_if(global.debug, "--debug");
    words.emplace_back(start.network == Network::host ? "--net=host" : "--net=none");
    add_if(flags.interactive, "--interactive");
    words.push_back("--local-config=" + global.local_config);
    add_if(!flags.names.hostname.empty(), "--hostname=" + flags.names.hostname);
    const auto& files = start.name_files;
    add_if(files.resolv_mode != "default" || files.hosts_mode != "default",
           fmt::format("--dns-conf-mode=resolv={},hosts={}", files.resolv_mode, files.hosts_mode));
    add_if(global.insecure.capabilities, "--disable-capabilities-restriction");
    add_if(global.insecure.paths, "--disable-paths");
    add_if(global.insecure.seccomp, "--disable-seccomp");
    words.push_back("--ipc=" + flags.ipc);
    return words;
}

} // namespace

void StartFlags::declare(FlagSet& flags)
{
    flags.add_optional("net", net, "default", "default", "configure the pod's networking: none or host");
    flags.add("dns", names.dns, "name servers to write in /etc/resolv.conf; 'host' to use the host's, 'none' for none");
    flags.add("dns-search", names.dns_search, "DNS search domain to write in /etc/resolv.conf");
    flags.add("dns-opt", names.dns_opt, "DNS option to write in /etc/resolv.conf");
    flags.add("dns-domain", names.dns_domain, "DNS domain to write in /etc/resolv.conf");
    flags.add("hosts-entry", names.hosts_entries, "entries to add to the pod-wide /etc/hosts, IP=NAME; or 'host'");
    flags.add("hostname", names.hostname, "pod's hostname; by default rkt-UUID");
    flags.add("interactive", interactive, "run the pod interactively: its one app on the caller's terminal");
    flags.add("ipc", ipc, "whether to stay in the host IPC namespace: auto, private or parent");
    flags.add("mds-register", mds_register, "register the pod with the metadata service");
}

Network parse_network(const std::string& list)
{
    std::vector<std::string> names;
    for (const auto& item : text::split(list.empty() ? "default" : list, ',')) {
        auto name = network_name(item);
        if (std::ranges::find(names, name) != names.end())
            fail(Error::Kind::usage, "found duplicate netname {}", quoted(name));
        names.push_back(std::move(name));
    }
    if (std::ranges::find(names, "host") != names.end())
        return Network::host;
    if (names == std::vector<std::string>{"none"})
        return Network::none;
    const auto missing = std::ranges::find_if(names, [](const auto& name) { return name != "none"; });
    throw Error{Error::Kind::unsupported, fmt::format("this build has no network {} yet", quoted(*missing)),
                "use --net=none for a loopback of the pod's own, or --net=host for the caller's network"};
}

Start check(const StartFlags& flags, const Context& context)
{
    Start start{parse_network(flags.net), {}, {}, flags.names.hostname};
    if (flags.mds_register && start.network == Network::none)
        fail(Error::Kind::usage, "--mds-register flag does not work with --net=none. Please use 'host', 'default' or "
                                 "an equivalent network");
    if (flags.mds_register)
        fail(Error::Kind::unsupported, "--mds-register: this build has no metadata service");
    check_ipc(flags.ipc);
    start.name_files = in_context("error with dns flags", [&] { return pod::name_files(flags.names); });
    start.arguments = stage1_arguments(flags, start, context.global);
    return start;
}

void start(const Start& start, pod::OwnedPod pod)
{
    const auto& files = start.name_files;
    const int dir = pod.pod.fd();
    if (files.resolv_mode == "stage0")
        file::write_volatile(dir, model::pod_dir::resolv_conf, files.resolv_conf);
    if (files.hosts_mode == "stage0") {
        const auto hostname = start.hostname.empty() ? "rkt-" + pod.pod.id().str() : start.hostname;
        file::write_volatile(dir, model::pod_dir::hosts, pod::hosts_with_name(files, hostname));
    }
    auto arguments = start.arguments;
    if (const auto range = pod::id_range_of(dir))
        arguments.push_back("--private-users=" + range->str());
    pod::exec_run(std::move(pod), std::move(arguments));
}

} // namespace rocket::cli

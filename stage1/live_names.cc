// SPDX-License-Identifier: Apache-2.0
#include "stage1/live_names.hh"

#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/model/ip_address.hh"
#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t file_limit = 1U << 20U;
constexpr std::size_t entry_limit = 4096;
constexpr std::uint32_t replaced = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE;

bool has_content(const model::json::Value* value)
{
    return value != nullptr && value->object() != nullptr && !value->object()->empty();
}

bool may_bring_dns(const model::json::Value& plugin)
{
    const auto type = model::ipam_type(plugin);
    const auto* ipam = plugin.find("ipam");
    if (has_content(plugin.find("dns")) || (!type.empty() && type != "host-local" && type != "static"))
        return true;
    return ipam != nullptr && (ipam->find("resolvConf") != nullptr || has_content(ipam->find("dns")));
}

void add_new(std::vector<std::string>& to, const std::vector<std::string>& from)
{
    for (const auto& word : from)
        if (std::ranges::find(to, word) == to.end())
            to.push_back(word);
}

bool is_host_name(const std::string& name)
{
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

// "ADDRESS NAME" lines, as other supervisors wrote them.
std::string checked_lines(const std::string& entry)
{
    std::string lines;
    for (const auto& line : text::split(entry, '\n')) {
        const auto words = text::split(line, ' ');
        if (words.size() == 2 && model::IpAddress::parse(words[0]) && is_host_name(words[1]))
            lines += words[0] + '\t' + words[1] + '\n';
    }
    return lines;
}

bool is_pod_id(const std::string& name) // and no file that is being written
{
    try {
        model::PodId::parse(name);
        return true;
    } catch (const Error&) {
        return false;
    }
}

// Only about names: a pod does not end because of it.
void try_to(const char* doing, const std::function<void()>& act)
{
    try {
        act();
    } catch (const std::exception& error) {
        log::print("warning: {}: {}", doing, error.what());
    }
}

} // namespace

bool may_bring_dns(const model::NetworkPlan& plan)
{
    return std::ranges::any_of(plan.networks, [](const auto& network) {
        return std::ranges::any_of(network.config.plugins, [](const auto& plugin) { return may_bring_dns(plugin); });
    });
}

model::DnsConfig merged_dns(const model::NetworkState& state)
{
    model::DnsConfig all;
    for (const auto& network : state.networks) {
        if (!network.result)
            continue;
        const auto& dns = network.result->dns;
        add_new(all.servers, dns.servers);
        add_new(all.search, dns.search);
        add_new(all.options, dns.options);
        if (all.domain.empty())
            all.domain = dns.domain;
    }
    return all;
}

// PID 1 of the pod could have put anything there meanwhile.
void LiveNames::write(const std::string& name, const std::string& content) const
{
    const auto file = sys::open_resolved_if_exists(run_, "rocket/" + name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW,
                                                   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (!file || !S_ISREG(sys::stat(file->get()).st_mode))
        return;
    sys::check([&] { return ::ftruncate(file->get(), 0); }, "emptying {}", name);
    sys::write_all(file->get(), content);
}

void LiveNames::watch(const std::string& directory, std::uint32_t events, std::function<void()> changed)
{
    Watch watch{.inotify = Fd{sys::check([] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }, "making a watch")},
                .source = {}};
    sys::check([&] { return ::inotify_add_watch(watch.inotify.get(), directory.c_str(), events); }, "watching {}",
               text::quoted(directory));
    const int fd = watch.inotify.get();
    watch.source = loop_.on_io(fd, EPOLLIN, [fd, changed = std::move(changed)](std::uint32_t) {
        char buffer[4096];
        while (::read(fd, buffer, sizeof buffer) > 0) { // what has changed is looked at, not listened to
        }
        try_to("names", changed);
    });
    watches_.push_back(std::move(watch));
}

void LiveNames::follow_host(const std::string& name)
{
    const auto path = "/etc/" + name;
    const auto copy = [this, name, path] {
        if (const auto content = file::read_if_exists(AT_FDCWD, path, file_limit)) // else it is about to come back
            write(name, *content);
    };
    try_to("following the host's name files", [&] {
        watch("/etc", replaced, copy);
        const auto real = std::filesystem::weakly_canonical(path).parent_path().string();
        if (real != "/etc" && std::filesystem::is_directory(real))
            watch(real, replaced, copy);
        copy(); // it may have changed since it was read
    });
}

void LiveNames::on_network(const model::NetworkState& state)
{
    try_to("name servers of the networks", [&] {
        const auto plan = model::NetworkPlan::parse(file::read(pod_.dir.get(), model::pod_dir::network_plan));
        const auto dns = merged_dns(state);
        if (takes_dns_ && may_bring_dns(plan) && !dns.is_empty())
            write("resolv.conf", dns.resolv_conf());
    });
    try_to("names of pods", [&] { enter_own_name(state); });
}

// One entry for each network, with the pod's addresses there. Watched first, then read: no pod is missed.
void LiveNames::enter_own_name(const model::NetworkState& state)
{
    const auto plan = model::NetworkPlan::parse(file::read(pod_.dir.get(), model::pod_dir::network_plan));
    const auto hosts = sys::open_resolved_if_exists(run_, "rocket/hosts", O_RDONLY | O_NONBLOCK | O_NOFOLLOW,
                                                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (plan.hostname.empty() || !hosts || !S_ISREG(sys::stat(hosts->get()).st_mode))
        return;
    base_hosts_ = sys::read_to_end(hosts->get(), file_limit);
    for (const auto& network : state.networks) {
        std::string entry;
        for (const auto& address : network.result ? network.result->addresses : std::vector<model::CniAddress>{})
            entry += address.address + ' ' + plan.hostname + '\n';
        const auto directory = fmt::format("{}/{}", model::host_run::names, network.request.config.name);
        sys::make_dirs(directory, 0755);
        watch(directory, replaced, [this] { write_hosts(); });
        directories_.push_back(directory);
        const auto opened = sys::open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
        file::write_volatile(opened.get(), pod_.id.str(), entry);
    }
    write_hosts();
}

void LiveNames::write_hosts() const
{
    auto content = base_hosts_;
    for (const auto& directory : directories_)
        for (const auto& name : file::list_if_exists(AT_FDCWD, directory).value_or(std::vector<std::string>{}))
            if (const auto entry = is_pod_id(name) ? file::read_if_exists(AT_FDCWD, directory + "/" + name, entry_limit)
                                                   : std::nullopt)
                content += checked_lines(*entry);
    write("hosts", content);
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/firewall.hh"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "common/model/layout.hh"
#include "common/sys/fd.hh"
#include "common/sys/lock.hh"
#include "common/sys/sys.hh"
#include "stage1/net/iptables.hh"
#include "stage1/net/iptables_rules.hh"
#include "stage1/net/nft.hh"
#include "stage1/net/nft_rules.hh"

namespace rocket::stage1
{

namespace
{

// Without, libnftables ends the process.
bool kernel_has_netfilter()
{
    return static_cast<bool>(Fd{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)});
}

// The firewall's programs and library read what there is first, and start over when it has changed by the time they
// write: a hundred pods that end at once would keep each other from ending.
Lock lock_rules()
{
    sys::make_dirs(model::host_run::firewall, 0755);
    return Lock::take(sys::open(AT_FDCWD, model::host_run::firewall, O_RDONLY | O_DIRECTORY), Lock::Mode::exclusive);
}

bool drops_forwarded(Nft& nft)
{
    for (const char* family : {"ip", "ip6"}) // iptables-nft's tables
        if (const auto chain = nft.try_run(fmt::format("list chain {} filter FORWARD", family));
            chain && chain->find("policy drop") != std::string::npos)
            return true;
    return false;
}

bool drops_forwarded(const Iptables& iptables)
{
    const auto drops = [&](bool v6) { return iptables.save(v6).find("\n:FORWARD DROP ") != std::string::npos; };
    const bool has_ipv6 = ::access("/proc/net/if_inet6", F_OK) == 0; // without, its program may fail
    return drops(false) || (has_ipv6 && drops(true));
}

} // namespace

// A way to see how other hosts fare: ROCKET_NET_FIREWALL=iptables or none (HACKING.md).
HostFirewall Firewall::look() const
{
    const char* variable = std::getenv("ROCKET_NET_FIREWALL");
    const std::string_view wanted = variable != nullptr ? variable : "";
    HostFirewall host{.nftables = false, .iptables = wanted != "none" && Iptables::is_installed()};
    if (wanted.empty() && kernel_has_netfilter())
        if (Nft nft; nft.is_available()) {
            host.nftables = true;
            host.drops_forwarded = drops_forwarded(nft);
            return host;
        }
    host.drops_forwarded = host.iptables && drops_forwarded(Iptables{held_fd_});
    return host;
}

void Firewall::add_rules(const model::PodId& id, const model::NetworkState& state) const
{
    const auto lock = lock_rules();
    if (state.nftables)
        if (const auto rules = make_nft_rules(id, state); !rules.empty())
            Nft{}.run(rules);
    for (const bool v6 : {false, true})
        if (const auto rules = make_iptables_rules(id, state, v6); !rules.empty())
            Iptables{held_fd_}.restore(v6, rules);
}

void Firewall::remove_rules(const model::PodId& id, const model::NetworkState& state) const
{
    const auto lock = lock_rules();
    if (state.nftables)
        Nft{}.run(remove_nft_rules(id));
    for (const bool v6 : {false, true}) {
        if (make_iptables_rules(id, state, v6).empty())
            continue;
        const Iptables iptables{held_fd_};
        if (const auto changes = remove_iptables_rules(id, iptables.save(v6)); !changes.empty())
            iptables.restore(v6, changes);
    }
}

} // namespace rocket::stage1

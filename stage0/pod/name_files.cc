// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/name_files.hh"

#include <algorithm>

#include "common/model/ip_address.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

template <typename... Arg>
[[noreturn]] void refuse(fmt::format_string<Arg...> text, Arg&&... arg)
{
    fail(Error::Kind::usage, text, std::forward<Arg>(arg)...);
}

// One word of a configuration file: nothing that could begin another word, line or comment there.
void check_word(const std::string& word, std::string_view flag)
{
    const bool fine =
        !word.empty() && std::ranges::all_of(word, [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
    if (!fine)
        refuse("invalid value passed to --{}: {}", flag, text::quoted(word));
}

// RFC 1123, and what the kernel takes.
void check_hostname(const std::string& name)
{
    constexpr std::size_t longest = 64;
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    const bool edges = !name.empty() && name.front() != '-' && name.front() != '.' && name.back() != '-';
    if (!edges || name.size() > longest || !std::ranges::all_of(name, allowed))
        refuse("invalid --hostname: {}", text::quoted(name));
}

void set_resolv_conf(const NameOptions& options, NameFiles& files)
{
    const bool others = !options.dns_search.empty() || !options.dns_opt.empty() || !options.dns_domain.empty();
    std::vector<std::string> servers;
    for (const auto& list : options.dns)
        for (auto& word : text::split(list, ','))
            servers.push_back(std::move(word));
    for (const char* mode : {"host", "none"}) {
        if (std::ranges::find(servers, mode) == servers.end())
            continue;
        if (servers.size() > 1)
            refuse("no other --dns options allowed when --dns={} is passed", mode);
        if (others)
            refuse("Cannot call --dns-opt, --dns-search, or --dns-domain with --dns={}", mode);
        files.resolv_mode = mode;
        return;
    }
    for (const auto& server : servers)
        if (!model::IpAddress::parse(server))
            refuse("Invalid IP passed to --dns: {}", text::printable(server));
    for (const auto& word : options.dns_search)
        check_word(word, "dns-search");
    for (const auto& word : options.dns_opt)
        check_word(word, "dns-opt");
    if (!options.dns_domain.empty())
        check_word(options.dns_domain, "dns-domain");
    if (servers.empty() && !others)
        return;
    files.resolv_mode = "stage0";
    files.dns = {servers, options.dns_domain, options.dns_search, options.dns_opt};
    files.resolv_conf = files.dns.resolv_conf();
}

std::string hosts_line(const std::string& entry)
{
    const auto parts = text::split(entry, '=');
    if (parts.size() != 2 || parts[1].empty())
        refuse("Did not understand --hosts-entry {}", text::printable(entry));
    if (!model::IpAddress::parse(parts[0]))
        refuse("Invalid IP passed to --hosts-entry: {}", text::printable(parts[0]));
    check_word(parts[1], "hosts-entry");
    return fmt::format("{}\t{}\n", parts[0], parts[1]);
}

void set_hosts(const NameOptions& options, NameFiles& files)
{
    std::vector<std::string> entries;
    for (const auto& list : options.hosts_entries)
        for (auto& entry : text::split(list, ','))
            entries.push_back(std::move(entry));
    if (entries.empty())
        return;
    if (std::ranges::find(entries, "host") != entries.end()) {
        if (entries.size() > 1)
            refuse("cannot pass --hosts-entry=host with multiple hosts-entries");
        files.hosts_mode = "host";
        return;
    }
    files.hosts_mode = "stage0";
    files.hosts = "127.0.0.1\tlocalhost localhost.localdomain\n"
                  "::1\tlocalhost localhost.localdomain ip6-localhost ip6-loopback\n";
    for (const auto& entry : entries)
        files.hosts += hosts_line(entry);
}

} // namespace

NameFiles name_files(const NameOptions& options)
{
    NameFiles files;
    set_resolv_conf(options, files);
    set_hosts(options, files);
    if (!options.hostname.empty())
        check_hostname(options.hostname);
    return files;
}

std::string hosts_with_name(const NameFiles& files, const std::string& hostname)
{
    return files.hosts + fmt::format("127.0.0.1\t{}\n", hostname);
}

} // namespace rocket::pod

// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/iptables.hh"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "common/sys/error.hh"
#include "stage1/net/foreign_program.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* programs[] = {"iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"};

std::optional<std::string> find_program(const std::string& name)
{
    for (const char* directory : {"/usr/local/sbin/", "/usr/sbin/", "/sbin/", "/usr/bin/"})
        if (auto path = directory + name; ::access(path.c_str(), X_OK) == 0)
            return path;
    return std::nullopt;
}

std::string run(const std::string& name, std::vector<std::string> arguments, const std::string& input, int held_fd)
{
    const auto path = find_program(name);
    if (!path)
        throw Error{Error::Kind::not_found, "there is no program " + name, "install the package iptables"};
    arguments.insert(arguments.begin(), *path);
    const auto outcome = with_context(name, [&] { return run_foreign({std::move(arguments), {}, input, held_fd}); });
    if (!outcome.status.ok())
        fail(Error::Kind::system, "{}: {}", name, outcome.why());
    return outcome.output;
}

} // namespace

bool Iptables::is_installed()
{
    return std::ranges::all_of(programs, [](const char* name) { return find_program(name).has_value(); });
}

std::string Iptables::save(bool v6) const
{
    return run(v6 ? "ip6tables-save" : "iptables-save", {}, {}, held_fd_);
}

void Iptables::restore(bool v6, const std::string& input) const
{
    run(v6 ? "ip6tables-restore" : "iptables-restore", {"--noflush", "--wait"}, input, held_fd_);
}

} // namespace rocket::stage1

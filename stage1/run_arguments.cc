// SPDX-License-Identifier: Apache-2.0
#include "stage1/run_arguments.hh"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

[[noreturn]] void refuse_value(std::string_view flag, std::string_view value)
{
    fail(Error::Kind::usage, "unknown value for {} parameter: {}", flag, text::quoted(value));
}

void set_network(RunOptions& options, std::string_view value)
{
    options.network = value == "none" ? NetworkKind::none : value == "host" ? NetworkKind::host : NetworkKind::planned;
}

void set_register(RunOptions& options, std::string_view value)
{
    if (value != "yes" && value != "no")
        refuse_value("--register", value);
    options.register_machine = value == "yes";
}

void set_ipc(RunOptions& options, std::string_view value)
{
    if (value == "auto")
        options.ipc = Ipc::automatic;
    else if (value == "private")
        options.ipc = Ipc::isolated;
    else if (value == "parent")
        options.ipc = Ipc::parent;
    else
        refuse_value("--ipc", value);
}

NameFile name_file(std::string_view flag, std::string_view value)
{
    if (value == "default")
        return NameFile::image;
    if (value == "none")
        return NameFile::none;
    if (value == "stage0")
        return NameFile::pod;
    if (value == "host")
        return NameFile::host;
    refuse_value(flag, value);
}

void set_name_files(RunOptions& options, std::string_view value)
{
    constexpr std::string_view resolv = "resolv=", hosts = "hosts=";
    for (const std::string_view part : text::split(value, ',')) {
        if (part.starts_with(resolv))
            options.resolv_conf = name_file("--dns-conf-mode", part.substr(resolv.size()));
        else if (part.starts_with(hosts) && part != "hosts=none")
            options.hosts = name_file("--dns-conf-mode", part.substr(hosts.size()));
        else
            refuse_value("--dns-conf-mode", value);
    }
}

struct Flag {
    std::string_view name;
    bool has_value; // "--name=value"; without one, its presence is what counts
    void (*set)(RunOptions& options, std::string_view value);
};

constexpr Flag flags[] = {
    {"--debug", false, [](RunOptions& o, std::string_view) { o.debug = true; }},
    {"--mutable", false, [](RunOptions& o, std::string_view) { o.is_mutable = true; }},
    {"--interactive", false, [](RunOptions& o, std::string_view) { o.interactive = true; }},
    {"--private-users", true,
     [](RunOptions& o, std::string_view value) { o.private_users = model::IdRange::parse(value); }},
    {"--net", true, set_network},
    {"--ipc", true, set_ipc},
    {"--mds-register", false, [](RunOptions& o, std::string_view) { o.mds_register = true; }},
    {"--register", true, set_register},
    {"--hostname", true, [](RunOptions& o, std::string_view value) { o.hostname = value; }},
    {"--local-config", true, [](RunOptions& o, std::string_view value) { o.local_config = value; }},
    {"--dns-conf-mode", true, set_name_files},
    {"--disable-capabilities-restriction", false,
     [](RunOptions& o, std::string_view) { o.restrict_capabilities = false; }},
    {"--disable-paths", false, [](RunOptions& o, std::string_view) { o.restrict_paths = false; }},
    {"--disable-seccomp", false, [](RunOptions& o, std::string_view) { o.restrict_seccomp = false; }},
};

void apply(RunOptions& options, std::string_view word)
{
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto* flag = std::find_if(std::begin(flags), std::end(flags), [&](const Flag& f) { return f.name == name; });
    if (flag == std::end(flags))
        fail(Error::Kind::unsupported, "stage1 does not support {}", text::quoted(word));
    const bool has_value = equals != std::string_view::npos;
    if (has_value != flag->has_value)
        fail(Error::Kind::usage, "{} {}", name, has_value ? "takes no value" : "needs a value");
    flag->set(options, has_value ? word.substr(equals + 1) : std::string_view{});
}

} // namespace

RunArguments parse_run_arguments(std::span<const char* const> words)
{
    if (words.empty())
        fail(Error::Kind::usage, "no pod UUID on the command line");
    RunOptions options;
    for (const std::string_view word : words.first(words.size() - 1))
        apply(options, word);
    return {options, model::PodId::parse(words.back())};
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/options.hh"

#include <optional>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage1/environment.hh"

namespace rocket::stage1
{

namespace
{

// What follows "--NAME=", if this is that flag.
std::optional<std::string> value_of(std::string_view word, std::string_view flag)
{
    if (!word.starts_with(flag) || word.size() <= flag.size() || word[flag.size()] != '=')
        return std::nullopt;
    return std::string{word.substr(flag.size() + 1)};
}

pid_t parse_pid(std::string_view text)
{
    const auto pid = text::parse_decimal(text, INT32_MAX);
    if (!pid || *pid < 2)
        fail(Error::Kind::usage, "--pid={} is no process", text::quoted(text));
    return static_cast<pid_t>(*pid);
}

// NAME=VALUE. The later of two with one name counts.
void set_variable(model::Environment& environment, const std::string& assignment)
{
    const auto equals = assignment.find('=');
    if (equals == std::string::npos)
        fail(Error::Kind::usage, "--env={} is not NAME=VALUE", text::quoted(assignment));
    const auto name = assignment.substr(0, equals);
    model::check_environment_name(name);
    if (is_reserved_variable(name))
        throw Error{Error::Kind::usage, fmt::format("the variable {} is the pod's own", text::quoted(name)),
                    "choose another name"};
    model::set(environment, name, assignment.substr(equals + 1));
}

} // namespace

EnterOptions parse_enter_options(std::span<const char* const> words)
{
    std::optional<pid_t> pid;
    std::optional<model::AppName> app;
    std::string user, group, directory = "/";
    model::Environment environment;
    std::size_t next = 0;
    for (; next < words.size() && std::string_view{words[next]} != "--"; ++next) {
        const std::string_view word = words[next];
        if (const auto process = value_of(word, "--pid"))
            pid = parse_pid(*process);
        else if (const auto name = value_of(word, "--appname"))
            app = model::AppName::parse(*name);
        else if (const auto wanted = value_of(word, "--user"))
            user = *wanted;
        else if (const auto of = value_of(word, "--group"))
            group = *of;
        else if (const auto path = value_of(word, "--cwd"))
            directory = *path;
        else if (const auto assignment = value_of(word, "--env"))
            set_variable(environment, *assignment);
        else if (word == "--as-root")
            user = group = "0";
        else
            fail(Error::Kind::usage, "unknown argument {}", text::quoted(word));
    }
    if (!pid || !app)
        fail(Error::Kind::usage, "--pid and --appname are needed");
    if (next + 1 >= words.size())
        fail(Error::Kind::usage, "no command after \"--\"");
    if (!directory.starts_with('/'))
        fail(Error::Kind::usage, "--cwd={} is not absolute", text::quoted(directory));
    return {.pod_init = *pid,
            .app = *app,
            .user = std::move(user),
            .group = std::move(group),
            .working_directory = std::move(directory),
            .environment = std::move(environment),
            .command = {words.begin() + static_cast<std::ptrdiff_t>(next) + 1, words.end()}};
}

} // namespace rocket::stage1

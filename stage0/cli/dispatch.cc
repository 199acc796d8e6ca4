// SPDX-License-Identifier: Apache-2.0
// From argv to a command's run function: finding the command word among the flags, parsing, checking for root,
// and turning everything thrown into the documented texts, streams and exit codes (cli 1.1-1.4).
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/command.hh"
#include "stage0/cli/help.hh"
#include "stage0/users/handed_over.hh"
#include "stage0/users/own_root.hh"
#include "stage0/users/shared_images.hh"

namespace rocket::cli
{

namespace
{

constexpr int exit_missing_command = 2;

// A flag before the command word: global flags are known here; others must be --flag=value, and wait for the command.
// (Parsed a second time, with the command's own flags, once the command is known.)
void keep_early_flag(const Words& argv, std::size_t& at, const FlagSet& global, CommandLine& found)
{
    const auto& token = argv[at];
    found.rest.push_back(argv[at++]);
    if (!token.starts_with("--") || token.find('=') != std::string::npos)
        return;
    const auto* flag = global.find(token.substr(2));
    if (!flag)
        throw FlagError{fmt::format("unknown flag: {}", text::printable(token))};
    if (flag->value == Flag::Value::required && at < argv.size())
        found.rest.push_back(argv[at++]);
}

void print_error(const std::string& text)
{
    fmt::print(stderr, "Error: {}\n", text);
}

int unknown_command(CommandTable table, const CommandLine& found)
{
    const auto parent =
        found.path.empty() ? std::string{"rocket"} : fmt::format("rocket {}", fmt::join(found.path, " "));
    auto text = fmt::format("unknown command {} for {}", text::quoted(found.unknown), text::quoted(parent));
    if (const auto similar = similar_names(table, found.path, found.unknown); !similar.empty())
        text += fmt::format("\n\nDid you mean this?\n\t{}\n", fmt::join(similar, "\n\t"));
    print_error(text);
    fmt::print(stderr, "Run '{} --help' for usage.\n", parent);
    return exit_failure;
}

// No runnable command: "rocket" alone, or a group such as "image".
int group_without_command(CommandTable table, Context& context, const CommandLine& found, const FlagSet& global)
{
    const auto help = group_help(table, found.path, global);
    bool wanted = !found.path.empty();
    try {
        FlagParser{{&global}, {}}.parse(found.rest, true);
    } catch (const HelpRequested&) {
        wanted = true;
    }
    if (!wanted)
        log::print("missing command");
    context.out("{}", help);
    return wanted ? 0 : exit_missing_command;
}

// In a unit with User=, its state directory is where its images and pods are, and belongs to it alone.
void become_root_if_needed(Context& context, const Command& command)
{
    const auto state = users::state_directory();
    const bool offered = users::is_own_root_offered();
    if (command.needs_root && state.empty() && (!offered || context.global.dir.empty()))
        throw Error{Error::Kind::usage, "cannot run as unprivileged user",
                    offered ? "in a unit with User= its pods need a place: StateDirectory=" : ""};
    if (!command.needs_root && (state.empty() || !offered))
        return;
    auto granted = users::become_own_root();
    if (context.global.dir.empty())
        context.global.dir = state;
    users::take_over(context.global.dir);
    context.users_host = std::make_shared<const Fd>(std::move(granted.host));
    if (granted.images)
        context.shared_images =
            std::make_shared<users::SharedImages>(context.users_host, *granted.images, context.global.dir);
}

int run_command(CommandTable table, Context& context, const Command& command, const Words& words, const FlagSet& global)
{
    const auto action = command.make();
    const auto help = [&] { return command_help(command, action->flags, global); };
    const FlagParser parser{{&action->flags, &global},
                            [](const std::string& warning) { fmt::print(stderr, "{}\n", warning); }};
    try {
        Invocation invocation{context, table, command, parser, parser.parse(words, command.interspersed)};
        if (::geteuid() != 0)
            become_root_if_needed(context, command);
        return action->run(invocation);
    } catch (const HelpRequested&) {
        context.out("{}", help());
        return 0;
    } catch (const UsageRequested&) {
        context.out("{}", help());
        return exit_failure;
    } catch (const FlagError& error) {
        print_error(fmt::format("{}\n", error.what()));
        context.out("{}", help());
        return exit_failure;
    }
}

int dispatch_unchecked(CommandTable table, Context& context, const Words& argv)
{
    FlagSet global;
    context.declare_flags(global);
    try {
        const auto found = split(table, argv, global);
        if (!found.unknown.empty())
            return unknown_command(table, found);
        const auto* command = find_command(table, found.path);
        if (!command)
            return group_without_command(table, context, found, global);
        log::set_prefix(command->leaf());
        return run_command(table, context, *command, found.rest, global);
    } catch (const FlagError& error) { // before the command word
        print_error(fmt::format("{}\n", error.what()));
        context.out("{}", group_help(table, {}, global));
        return exit_failure;
    }
}

} // namespace

CommandLine split(CommandTable table, const Words& argv, const FlagSet& global)
{
    CommandLine found;
    std::size_t at = 0;
    while (at < argv.size() && !find_command(table, found.path)) {
        if (argv[at] == "--")
            break;
        if (argv[at].size() > 1 && argv[at][0] == '-') {
            keep_early_flag(argv, at, global, found);
            continue;
        }
        auto name = resolve_word(table, found.path, argv[at]);
        if (name.empty()) {
            found.unknown = argv[at];
            return found;
        }
        found.path.push_back(std::move(name));
        at += 1;
    }
    found.rest.insert(found.rest.end(), argv.begin() + static_cast<std::ptrdiff_t>(at), argv.end());
    return found;
}

int dispatch(CommandTable table, Context& context, const Words& argv)
{
    int code = exit_failure;
    try {
        code = dispatch_unchecked(table, context, argv);
    } catch (const CommandError& error) {
        log::error(error, error.context);
    } catch (const Error& error) {
        log::error(error);
    } catch (const std::bad_alloc&) {
        log::print("out of memory");
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
        log::print("cannot write to stdout: {}", std::strerror(errno));
        return exit_failure;
    }
    return code;
}

} // namespace rocket::cli

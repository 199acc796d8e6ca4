// SPDX-License-Identifier: Apache-2.0
// The command table: what a command is called, what it takes and what it does. Dispatch, help, completion and
// did-you-mean all read it; main.cc holds it. To add a command: a function that returns it (command<Options>()
// below), declared in commands.hh and listed in main.cc.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/cli/context.hh"
#include "stage0/cli/flags.hh"

namespace rocket::cli
{

struct Command;
using CommandTable = std::span<const Command>;

constexpr int exit_failure = 254; // of every failure that is not the pod's own (cli 1.4)

// One run of one command: what is left of the command line, and what its grammar may need to go on parsing.
struct Invocation {
    Context& context;
    CommandTable table;
    const Command& command;
    const FlagParser& parser; // the command's flags and the global ones, for commands with a grammar of their own
    Words args;               // positionals; not interspersed: everything from the first positional on
};

// Thrown for a wrong number of arguments: usage on stdout, nothing on stderr, 254 (cli 8).
struct UsageRequested {
};

// A set of flags bound to its own storage, and what to do once they are parsed.
class Action
{
public:
    virtual ~Action() = default;
    virtual int run(Invocation& invocation) = 0; // the exit code
    FlagSet flags;
};

struct Command {
    std::vector<std::string> path; // {"image", "list"}
    std::string arguments;         // synopsis, as in "[--app=NAME] UUID [CMD [ARGS...]]"
    std::string purpose;           // one line
    std::string description;       // a paragraph or more; empty: the purpose says it
    bool interspersed = true;      // flags may stand among and after the positionals
    bool needs_root = false;
    bool hidden = false;
    std::function<std::unique_ptr<Action>()> make = {};

    const std::string& leaf() const { return path.back(); }
    std::string name() const; // "image list"
};

// A command from its parts: an Options struct, a function that declares its flags and one that runs it,
// int run(Invocation&, Options&) or with const Options&.
template <typename Options, typename Run>
Command command(Command parts, void (*declare)(Options&, FlagSet&), Run run)
{
    class Bound : public Action
    {
    public:
        Bound(void (*declare_flags)(Options&, FlagSet&), Run act) : act_{act} { declare_flags(options_, flags); }
        int run(Invocation& invocation) override { return act_(invocation, options_); }

    private:
        Options options_;
        Run act_;
    };
    parts.make = [declare, run] { return std::make_unique<Bound>(declare, run); };
    return parts;
}

// The same for a command without flags of its own.
Command command(Command parts, int (*run)(Invocation&));

// All names that may stand at `prefix` ({} or {"image"}), in table order, each once.
std::vector<std::string> names_at(CommandTable table, const std::vector<std::string>& prefix);
// The full name for a word at `prefix`: exact, or the only one it is a prefix of; empty if unknown or ambiguous.
std::string resolve_word(CommandTable table, const std::vector<std::string>& prefix, const std::string& word);
// Names within edit distance 2 of `word`, or that begin with it.
std::vector<std::string> similar_names(CommandTable table, const std::vector<std::string>& prefix,
                                       const std::string& word);
const Command* find_command(CommandTable table, const std::vector<std::string>& path);

// The command words of argv, and argv without them.
struct CommandLine {
    std::vector<std::string> path;
    Words rest;
    std::string unknown = {}; // a word that is no command at `path`
};
// `global`: the flags that may stand before the words. Throws FlagError for others there.
CommandLine split(CommandTable table, const Words& argv, const FlagSet& global);

// Runs what argv asks for; the exit code. Everything thrown is reported here.
int dispatch(CommandTable table, Context& context, const Words& argv);

} // namespace rocket::cli

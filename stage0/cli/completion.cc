// SPDX-License-Identifier: Apache-2.0
// `completion bash`: a script made from the command table, so that it cannot fall behind it (cli 8.21).
#include <map>

#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"

namespace rocket::cli
{

namespace
{

// What the words after a command are, where the shell can ask `rocket` for them.
struct Operand {
    std::string_view command, generator;
};

constexpr std::string_view images = "_rocket_images";
constexpr Operand operands[] = {
    {"image cat-manifest", images},
    {"image export", images},
    {"image rm", images},
    {"image verify", images},
    {"run", images},
    {"prepare", images},
    {"cat-manifest", "_rocket_pods ''"},
    {"enter", "_rocket_pods running"},
    {"rm", "_rocket_pods 'prepare|exited'"},
    {"run-prepared", "_rocket_pods prepared"},
    {"status", "_rocket_pods ''"},
    {"stop", "_rocket_pods running"},
};

constexpr std::string_view head = R"sh(# bash completion for rocket, made by `rocket completion bash`
_rocket_images() { rocket image list --no-legend 2>/dev/null | awk '{print $1}'; }
_rocket_pods() { rocket list --no-legend --full 2>/dev/null | awk -F'\t+' -v state="$1" '$1 != "" && $5 ~ state {print $1}'; }

_rocket_flags() {
    case "$1" in
)sh";

constexpr std::string_view tail = R"sh(    esac
}

_rocket() {
    local current="${COMP_WORDS[COMP_CWORD]}" path="" word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
        -*) ;;
        *) [ -n "$(_rocket_words "$path")" ] && path="${path:+$path }$word" ;;
        esac
    done
    case "$current" in
    -*) COMPREPLY=($(compgen -W "$(_rocket_flags "$path")" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$(_rocket_words "$path") $(_rocket_operands "$path")" -- "$current")) ;;
    esac
}
complete -o default -F _rocket rocket rkt
)sh";

std::string flag_words(const FlagSet& flags)
{
    std::string words;
    for (const auto& flag : flags.all())
        if (!flag.hidden && flag.deprecated.empty())
            words += fmt::format("--{}{} ", flag.name, flag.value == Flag::Value::required ? "=" : "");
    return words;
}

void add_case(std::string& script, std::string_view pattern, std::string_view action)
{
    script += fmt::format("    \"{}\") {} ;;\n", pattern, action);
}

std::string bash_script(CommandTable table)
{
    FlagSet global;
    Context defaults;
    defaults.declare_flags(global);
    const auto global_words = flag_words(global);

    std::string script{head};
    std::map<std::string, std::string> children; // group -> its words
    for (const auto& command : table) {
        if (command.hidden)
            continue;
        add_case(script, command.name(), fmt::format("echo '{}{}'", flag_words(command.make()->flags), global_words));
        std::vector<std::string> prefix;
        for (const auto& word : command.path) {
            auto& words = children[fmt::format("{}", fmt::join(prefix, " "))];
            if (!(" " + words).ends_with(" " + word + " "))
                words += word + " ";
            prefix.push_back(word);
        }
    }
    script +=
        fmt::format("    *) echo '{}' ;;\n    esac\n}}\n\n_rocket_words() {{\n    case \"$1\" in\n", global_words);
    for (const auto& [group, words] : children)
        add_case(script, group, fmt::format("echo '{}'", words));
    script += "    esac\n}\n\n_rocket_operands() {\n    case \"$1\" in\n";
    for (const auto& [command, generator] : operands)
        if (const auto* known = find_command(table, text::split(command, ' ')); known && !known->hidden)
            add_case(script, command, generator);
    return script + std::string{tail};
}

int run(Invocation& invocation)
{
    const auto& shells = invocation.args;
    if (shells.empty())
        fail(Error::Kind::usage, "shell type is not specified");
    if (shells.size() > 1)
        fail(Error::Kind::usage, "too many arguments, only shell type is expected");
    if (shells.front() != "bash")
        fail(Error::Kind::usage, "'{}' shell is not supported", text::printable(shells.front()));
    invocation.context.out("{}", bash_script(invocation.table));
    return 0;
}

} // namespace

Command completion_command()
{
    return command({.path = {"completion"},
                    .arguments = "SHELL",
                    .purpose = "output shell completion code for the specified shell",
                    .description = "Only bash is supported: source <(rocket completion bash)"},
                   run);
}

} // namespace rocket::cli

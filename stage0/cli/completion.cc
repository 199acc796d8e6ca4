// SPDX-License-Identifier: Apache-2.0
// `completion SHELL`: a script that asks `completion --words` what there is at the cursor (cli 8.21).
#include <algorithm>
#include <filesystem>

#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/complete.hh"
#include "stage0/cli/images.hh"
#include "stage0/net/catalog.hh"
#include "stage0/pod/pod_info.hh"

namespace rocket::cli
{

namespace
{

// bash takes ":" and "=" for the ends of words, and so replaces only what is behind them.
constexpr std::string_view bash = R"sh(# bash completion for rocket, as printed by `rocket completion bash`
_rocket() {
    local line=${COMP_LINE:0:COMP_POINT} words current
    read -ra words <<<"$line"
    [[ $line != *[[:blank:]] ]] || words+=("")
    current=${words[${#words[@]} - 1]}
    mapfile -t COMPREPLY < <("${words[0]}" completion --words -- "${words[@]:1}" 2>/dev/null | cut -f1)
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[:=]}"}"}")
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}
complete -o default -F _rocket rocket rkt
)sh";

constexpr std::string_view zsh = R"sh(#compdef rocket rkt
# zsh completion for rocket, as printed by `rocket completion zsh`
_rocket() {
    local -a found whole begun shown_whole shown_begun
    local line word text
    found=("${(@f)$("${words[1]}" completion --words -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for line in $found; do
        word=${line%%$'\t'*} text=${line#*$'\t'}
        [[ -z $text ]] && text=$word || text="$word  -- $text"
        if [[ $word == *= ]]; then begun+=($word) shown_begun+=($text); else whole+=($word) shown_whole+=($text); fi
    done
    (( $#whole )) && compadd -l -d shown_whole -a whole
    (( $#begun )) && compadd -l -S '' -d shown_begun -a begun
    (( $#whole + $#begun )) && return 0
    compset -P '*='
    _files
}
if [[ ${funcstack[1]-} == _rocket ]]; then _rocket "$@"; else compdef _rocket rocket rkt; fi
)sh";

constexpr std::string_view fish = R"sh(# fish completion for rocket, as printed by `rocket completion fish`
function __rocket_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (command $words[1] completion --words -- $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else if string match -q -- '*=*' $current
        set -l parts (string split -m 1 = -- $current)
        string replace -r '^' -- "$parts[1]=" (__fish_complete_path $parts[2])
    else
        __fish_complete_path $current
    end
end
complete -c rocket -f -a '(__rocket_complete)'
complete -c rkt -f -a '(__rocket_complete)'
)sh";

struct Shell {
    std::string_view name;
    std::string_view script;
};
constexpr Shell shells[] = {{"bash", bash}, {"fish", fish}, {"zsh", zsh}};

struct Options {
    bool words = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("words", options.words,
              "complete the last of the words behind --, which may be empty: a line WORD, TAB, DESCRIPTION for each");
}

Candidates pods_of(const Context& context, const std::vector<std::string_view>& states)
{
    Candidates found;
    const model::Layout layout{context.data_dir()};
    for (const auto& place : pod::walk(layout, pod::visible_stages())) {
        const auto open = pod::Pod::open(layout, place.stage, place.id);
        if (!open)
            continue;
        const auto info = pod::read_info(*open, pod::Detail::summary);
        if (!states.empty() && std::ranges::find(states, name_of(info.state)) == states.end())
            continue;
        std::string apps;
        for (const auto& app : info.apps)
            apps += " " + app.app.name.str();
        found.push_back({info.id.str(), fmt::format("{}:{}", name_of(info.state), apps)});
    }
    return found;
}

Candidates images_of(const Context& context)
{
    if (!std::filesystem::is_directory(context.data_dir())) // it is not for TAB to make one
        return {};
    Candidates found;
    Progress progress;
    for (const auto& entry : open_store(context, progress).list()) {
        const auto* version = model::find(entry.labels, "version");
        const auto name = entry.name.str();
        found.push_back({version ? fmt::format("{}:{}", name, *version) : name, entry.id.shortened(12)});
        found.push_back({entry.id.shortened(12), found.back().word});
    }
    return found;
}

Candidates networks_of(const Context& context)
{
    Candidates found{{"none", "a loopback"}, {"host", "the caller's network"}, {"all", "every network there is"}};
    for (const auto& network : net::load_catalog(context.global.system_config, context.global.local_config).networks)
        found.push_back({network.config.name, ""});
    return found;
}

// Names come from files: one with a blank or a control character in it would be several words, or an escape sequence.
bool is_one_word(const std::string& word)
{
    return std::ranges::all_of(word, [](char c) { return c > ' ' && c != '\x7f'; });
}

int complete_words(Invocation& invocation)
{
    FlagSet global;
    invocation.context.declare_flags(global);
    Candidates found;
    try {
        const auto& context = invocation.context;
        found = complete(invocation.table, global, invocation.args,
                         {.pods = [&](const auto& states) { return pods_of(context, states); },
                          .images = [&] { return images_of(context); },
                          .networks = [&] { return networks_of(context); }});
    } catch (const Error&) { // who may not look at the store can still type; the command will say what is wrong
    }
    for (const auto& candidate : found)
        if (is_one_word(candidate.word))
            invocation.context.out("{}\t{}\n", candidate.word, text::printable(candidate.description));
    return 0;
}

int run(Invocation& invocation, const Options& options)
{
    if (options.words)
        return complete_words(invocation);
    const auto& asked = invocation.args;
    if (asked.empty())
        fail(Error::Kind::usage, "shell type is not specified");
    if (asked.size() > 1)
        fail(Error::Kind::usage, "too many arguments, only shell type is expected");
    const auto* shell = std::ranges::find(shells, std::string_view{asked.front()}, &Shell::name);
    if (shell == std::end(shells))
        fail(Error::Kind::usage, "'{}' shell is not supported", text::printable(asked.front()));
    invocation.context.out("{}", shell->script);
    return 0;
}

} // namespace

Command completion_command()
{
    return command<Options>({.path = {"completion"},
                             .arguments = "SHELL",
                             .purpose = "output shell completion code for the specified shell",
                             .description = "The shells are bash, fish and zsh: source <(rocket completion bash)."},
                            declare, run);
}

} // namespace rocket::cli

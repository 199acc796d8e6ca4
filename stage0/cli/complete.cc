// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/complete.hh"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "common/sys/text.hh"
#include "stage0/cli/help.hh"

namespace rocket::cli
{

namespace
{

using Names = std::vector<std::string_view>;
constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

// What the arguments of a command are.
struct Operand {
    enum class Kind { pod, image, shell, command };
    std::string_view command;
    Kind kind;
    std::size_t most = 1;
    Names states = {};              // of pods that it is for
    std::optional<Kind> first = {}; // what the first of them is, if it is not like the others
};

const std::vector<Operand>& operands()
{
    using enum Operand::Kind;
    static const std::vector<Operand> all{
        {"app add", image, 2, {"running"}, pod},
        {"app exec", pod, 1, {"running"}},
        {"app list", pod},
        {"app rm", pod, 1, {"running", "exited", "exited garbage"}},
        {"app start", pod, 1, {"running"}},
        {"app status", pod},
        {"app stop", pod, 1, {"running"}},
        {"attach", pod, 1, {"running"}},
        {"cat-manifest", pod},
        {"completion", shell},
        {"enter", pod, 1, {"running"}},
        {"export", pod, 1, {"exited", "exited garbage"}},
        {"fetch", image, any_number},
        {"help", command, any_number},
        {"image cat-manifest", image},
        {"image export", image},
        {"image extract", image},
        {"image render", image},
        {"image rm", image, any_number},
        {"image verify", image, any_number},
        {"logs", pod},
        {"prepare", image, any_number},
        {"rm", pod, any_number, {"prepared", "aborted prepare", "exited", "exited garbage"}},
        {"run", image, any_number},
        {"run-prepared", pod, 1, {"prepared"}},
        {"status", pod},
        {"stop", pod, any_number, {"running"}},
    };
    return all;
}

// Flags with a few values. Those of others are files, or anything.
struct FlagValues {
    std::string_view flag;
    Names values;
};

const std::vector<FlagValues>& flag_values()
{
    static const std::vector<FlagValues> all{
        {"format", {"json", "json-pretty"}},
        {"insecure-options",
         {"none", "image", "tls", "http", "pubkey", "capabilities", "paths", "seccomp", "ondisk", "all-fetch",
          "all-run", "all"}},
        {"ipc", {"auto", "private", "parent"}},
        {"mode", {"auto", "list", "stdin", "stdout", "stderr", "tty", "tty-in", "tty-out"}},
        {"order", {"asc", "desc"}},
        {"pull-policy", {"new", "update", "never"}},
        {"sort", {"name", "importtime", "lastused", "size"}},
        {"stage1-from-dir", {"systemd", "fly"}},
        {"stage1-name", {"coreos.com/rkt/stage1-systemd", "coreos.com/rkt/stage1-fly"}},
        {"stderr", {"log", "null", "stream", "tty", "interactive"}},
        {"stdin", {"null", "stream", "tty", "interactive"}},
        {"stdout", {"log", "null", "stream", "tty", "interactive"}},
    };
    return all;
}

// Where the cursor is: what the words before it have said.
class Position
{
public:
    Position(CommandTable table, const FlagSet& global) : table_{table}, global_{global} {}
    void pass(const std::string& word); // one that lies before the cursor
    Candidates at(const std::string& current, const HostValues& host) const;

private:
    const Flag* find_flag(std::string_view name) const;
    void pass_flag(const std::string& word);
    void pass_value(const Flag& flag, const std::string& value);
    Candidates flags(const std::string& current, const HostValues& host) const;
    Candidates commands(const std::vector<std::string>& path) const;
    Candidates arguments(const HostValues& host) const;

    CommandTable table_;
    const FlagSet& global_;
    std::vector<std::string> path_;
    const Command* command_ = nullptr;
    std::unique_ptr<Action> action_;
    const Flag* waiting_ = nullptr; // for its value, which is the next word
    std::vector<std::string> arguments_;
    bool of_app_ = false; // behind "--": what a pod's app is given
    bool is_wrong_ = false;
};

const Flag* Position::find_flag(std::string_view name) const
{
    const auto* own = action_ ? action_->flags.find(name) : nullptr;
    return own ? own : global_.find(name);
}

// Global flags say where pods and images are.
void Position::pass_value(const Flag& flag, const std::string& value)
{
    if (&flag != global_.find(flag.name) || flag.name == "help")
        return;
    try {
        flag.set(value);
    } catch (const Error&) {
        is_wrong_ = true;
    }
}

void Position::pass_flag(const std::string& word)
{
    const auto equals = word.find('=');
    const auto* flag = find_flag(word.substr(2, equals == std::string::npos ? equals : equals - 2));
    if (flag == nullptr)
        return; // before its command is known it may be the command's
    if (equals != std::string::npos)
        pass_value(*flag, word.substr(equals + 1));
    else if (flag->value == Flag::Value::required)
        waiting_ = flag;
    else
        pass_value(*flag, flag->implied);
}

void Position::pass(const std::string& word)
{
    if (waiting_ != nullptr) {
        pass_value(*std::exchange(waiting_, nullptr), word);
    } else if (of_app_) {
        of_app_ = word != "---";
    } else if (word == "--" && command_ != nullptr) {
        of_app_ = true;
    } else if (word.starts_with("--") && word.size() > 2) {
        pass_flag(word);
    } else if (command_ != nullptr) {
        arguments_.push_back(word);
    } else if (auto name = resolve_word(table_, path_, word); name.empty()) {
        is_wrong_ = is_wrong_ || !word.starts_with('-');
    } else {
        path_.push_back(std::move(name));
        command_ = find_command(table_, path_);
        if (command_ != nullptr)
            action_ = command_->make();
    }
}

Candidates Position::commands(const std::vector<std::string>& path) const
{
    Candidates found;
    for (const auto& command : table_) {
        if (command.hidden || command.path.size() <= path.size() ||
            !std::equal(path.begin(), path.end(), command.path.begin()))
            continue;
        const auto& name = command.path[path.size()];
        const bool is_group = command.path.size() > path.size() + 1;
        if (std::ranges::find(found, name, &Candidate::word) == found.end())
            found.push_back({name, is_group ? "a group of commands" : command.purpose});
    }
    return found;
}

// The values of a flag, each behind `prefix`.
Candidates values_of(const Flag& flag, const std::string& prefix, const HostValues& host)
{
    Candidates found;
    const auto known = std::ranges::find(flag_values(), std::string_view{flag.name}, &FlagValues::flag);
    if (known != flag_values().end())
        for (const auto value : known->values)
            found.push_back({prefix + std::string{value}, ""});
    else if (flag.value == Flag::Value::boolean || flag.value == Flag::Value::lenient)
        found = {{prefix + "true", ""}, {prefix + "false", ""}};
    else if (flag.name == "net")
        for (auto& network : host.networks())
            found.push_back({prefix + network.word, network.description});
    return found;
}

Candidates Position::flags(const std::string& current, const HostValues& host) const
{
    if (const auto equals = current.find('='); equals != std::string::npos) {
        const auto* flag = find_flag(current.substr(2, equals - 2));
        return flag == nullptr ? Candidates{} : values_of(*flag, current.substr(0, equals + 1), host);
    }
    Candidates found;
    const auto add = [&](const FlagSet& set) {
        for (const auto* flag : shown_flags(set))
            found.push_back(
                {fmt::format("--{}{}", flag->name, flag->value == Flag::Value::required ? "=" : ""), flag->help});
    };
    if (action_)
        add(action_->flags);
    add(global_);
    return found;
}

Candidates Position::arguments(const HostValues& host) const
{
    const auto operand = std::ranges::find(operands(), command_->name(), &Operand::command);
    if (operand == operands().end() || arguments_.size() >= operand->most)
        return {};
    switch (arguments_.empty() ? operand->first.value_or(operand->kind) : operand->kind) {
    case Operand::Kind::pod:
        return host.pods(operand->states);
    case Operand::Kind::image:
        return host.images();
    case Operand::Kind::shell:
        return {{"bash", ""}, {"fish", ""}, {"zsh", ""}};
    case Operand::Kind::command:
        return commands(arguments_);
    }
    return {};
}

Candidates Position::at(const std::string& current, const HostValues& host) const
{
    if (is_wrong_ || of_app_)
        return {};
    if (waiting_ != nullptr)
        return values_of(*waiting_, "", host);
    if (current.starts_with('-'))
        return flags(current, host);
    return command_ == nullptr ? commands(path_) : arguments(host);
}

} // namespace

Candidates complete(CommandTable table, const FlagSet& global, const Words& words, const HostValues& host)
{
    Position position{table, global};
    const auto last = words.empty() ? words.end() : std::prev(words.end());
    for (auto word = words.begin(); word != last; ++word)
        position.pass(*word);
    const auto current = words.empty() ? std::string{} : words.back();
    auto found = position.at(current, host);
    std::erase_if(found, [&](const auto& candidate) { return !candidate.word.starts_with(current); });
    return found;
}

} // namespace rocket::cli

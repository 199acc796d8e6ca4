// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/flags.hh"

#include <algorithm>
#include <climits>

#include "common/sys/text.hh"
#include "stage0/cli/values.hh"

namespace rocket::cli
{

namespace
{

using text::quoted;

[[noreturn]] void reject(std::string reason)
{
    throw Error{Error::Kind::usage, std::move(reason)};
}

} // namespace

bool bool_value(const std::string& value)
{
    const auto parsed = text::parse_bool(value);
    if (!parsed)
        reject("must be true or false");
    return *parsed;
}

Flag& Flag::hide()
{
    hidden = true;
    return *this;
}

Flag& Flag::deprecate(std::string advice)
{
    deprecated = std::move(advice);
    return *this;
}

Flag& FlagSet::add_custom(Flag flag)
{
    return flags_.emplace_back(std::move(flag));
}

Flag& FlagSet::add(std::string name, bool& field, std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::boolean, field ? "true" : "false", "true",
                       [&field](const std::string& value) { field = bool_value(value); }});
}

Flag& FlagSet::add(std::string name, std::string& field, std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::required, quoted(field), "",
                       [&field](const std::string& value) { field = value; }});
}

Flag& FlagSet::add(std::string name, int& field, std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::required, std::to_string(field), "",
                       [&field](const std::string& value) {
                           const auto parsed = text::parse_signed(value, INT_MIN, INT_MAX);
                           if (!parsed)
                               reject("must be an integer");
                           field = static_cast<int>(*parsed);
                       }});
}

Flag& FlagSet::add(std::string name, Duration& field, std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::required, format_duration(field), "",
                       [&field](const std::string& value) { field = parse_duration(value); }});
}

Flag& FlagSet::add(std::string name, Words& field, std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::required, "[]", "",
                       [&field](const std::string& value) { field.push_back(value); }});
}

Flag& FlagSet::add(std::string name, StringMap& field, std::string help)
{
    return add_custom(
        {std::move(name), std::move(help), Flag::Value::required, "[]", "", [&field](const std::string& value) {
             const auto equals = value.find('=');
             if (equals == 0 || equals == std::string::npos)
                 reject("must be specified as key=value");
             const auto key = value.substr(0, equals);
             if (!field.emplace(key, value.substr(equals + 1)).second)
                 reject(fmt::format("key {} already set", quoted(key)));
         }});
}

Flag& FlagSet::add_optional(std::string name, std::string& field, std::string implied, std::string shown,
                            std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::optional, std::move(shown), std::move(implied),
                       [&field](const std::string& value) { field = value; }});
}

Flag& FlagSet::add_optional(std::string name, Words& field, std::string implied, std::string shown, std::string help)
{
    return add_custom({std::move(name), std::move(help), Flag::Value::optional, std::move(shown), std::move(implied),
                       [&field](const std::string& value) { field.push_back(value); }});
}

Flag& Flag::short_for(char letter)
{
    shorthand = letter;
    return *this;
}

const Flag* FlagSet::find(std::string_view name) const
{
    const auto found = std::ranges::find(flags_, name, &Flag::name);
    return found == flags_.end() ? nullptr : &*found;
}

const Flag& FlagParser::find(const std::string& name) const
{
    for (const auto* set : sets_)
        if (const auto* flag = set->find(name))
            return *flag;
    throw FlagError{fmt::format("unknown flag: --{}", text::printable(name))};
}

void FlagParser::apply(const Flag& flag, const std::string& value, const std::string& token) const
{
    try {
        flag.set(value);
    } catch (const Error& why) {
        throw FlagError{
            fmt::format("invalid argument {} for {}: {}", quoted(value), text::printable(token), why.what())};
    }
    if (!flag.deprecated.empty())
        warn_(fmt::format("Flag --{} has been deprecated, {}", flag.name, flag.deprecated));
}

// One letter per word: "-f", "-n 5" or "-n5".
void FlagParser::take_short(std::span<const std::string> words, std::size_t& at) const
{
    const auto& token = words[at];
    if (token[1] == 'h')
        throw HelpRequested{};
    for (const auto* set : sets_)
        for (const auto& flag : set->all()) {
            if (flag.shorthand != token[1])
                continue;
            at += 1;
            const bool takes_word = flag.value == Flag::Value::required;
            if (token.size() > 2 && !takes_word)
                break;
            if (token.size() > 2)
                return apply(flag, token.substr(2), token);
            if (!takes_word)
                return apply(flag, flag.implied, token);
            if (at == words.size())
                throw FlagError{fmt::format("flag needs an argument: {}", text::printable(token))};
            return apply(flag, words[at++], token);
        }
    throw FlagError{
        fmt::format("unknown shorthand flag: {} in {}", quoted(token.substr(1, 1)), text::printable(token))};
}

bool FlagParser::take(std::span<const std::string> words, std::size_t& at) const
{
    const auto& token = words[at];
    if (token.size() < 2 || token[0] != '-' || token == "--")
        return false;
    if (token[1] != '-') {
        take_short(words, at);
        return true;
    }
    const auto equals = token.find('=');
    const auto name = token.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (name.empty() || name[0] == '-')
        throw FlagError{fmt::format("bad flag syntax: {}", text::printable(token))};

    const auto& flag = find(name);
    at += 1;
    if (equals != std::string::npos) {
        apply(flag, token.substr(equals + 1), token);
    } else if (flag.value == Flag::Value::boolean || flag.value == Flag::Value::optional) {
        apply(flag, flag.implied, token);
    } else if (flag.value == Flag::Value::lenient && (at == words.size() || !text::parse_bool(words[at]))) {
        apply(flag, flag.implied, token);
    } else if (at == words.size()) {
        throw FlagError{fmt::format("flag needs an argument: --{}", name)};
    } else {
        apply(flag, words[at++], token); // verbatim, also when it begins with '-'
    }
    return true;
}

Words FlagParser::parse(std::span<const std::string> words, bool interspersed) const
{
    Words positionals;
    std::size_t at = 0;
    while (at < words.size()) {
        if (take(words, at))
            continue;
        if (words[at] == "--") {
            at += interspersed ? 1 : 0; // otherwise the rest has a grammar of its own, and wants to see it
            break;
        }
        if (!interspersed)
            break;
        positionals.push_back(words[at++]);
    }
    positionals.insert(positionals.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    return positionals;
}

} // namespace rocket::cli

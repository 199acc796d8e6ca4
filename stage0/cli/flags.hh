// SPDX-License-Identifier: Apache-2.0
// Flags of a command, declared once: a name, a field, a sentence of help (cli 1.1). A FlagSet binds them to the
// fields of the command's Options struct; parsing, help and completion read the same declarations.
// Errors: FlagError, with exactly the texts of cli 1.1. A setter rejects a value by throwing Error{usage, reason}.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/error.hh"

namespace rocket::cli
{

using Words = std::vector<std::string>;
using Duration = std::chrono::nanoseconds;
using StringMap = std::map<std::string, std::string>;

// What is wrong with the command line itself; main() prints it as "Error: ..." and the usage.
struct FlagError : Error {
    explicit FlagError(std::string text) : Error{Kind::usage, std::move(text)} {}
};

// --help or -h was met; leaves the parser from wherever it is, also from between images.
struct HelpRequested {
};

struct Flag {
    enum class Value {
        boolean,  // --x, --x=true; never takes the next token
        required, // --x=v or --x v
        optional, // --x or --x=v; never takes the next token
        lenient,  // --x=true, --x true, and --x before anything that is not a bool (Q11)
    };

    std::string name;
    std::string help;
    Value value = Value::required;
    std::string shown_default; // as in help: false, "", 30m0s, []
    std::string implied;       // what a bare boolean or optional flag means
    std::function<void(const std::string&)> set;
    std::string deprecated = {}; // advice; a deprecated flag works, warns and is not in help
    bool hidden = false;
    char shorthand = 0; // -f; with a value: -n 5 or -n5

    Flag& hide();
    Flag& deprecate(std::string advice);
    Flag& short_for(char letter);
};

class FlagSet
{
public:
    Flag& add(std::string name, bool& field, std::string help);
    Flag& add(std::string name, std::string& field, std::string help);
    Flag& add(std::string name, int& field, std::string help);
    Flag& add(std::string name, Duration& field, std::string help);
    Flag& add(std::string name, Words& field, std::string help);     // each use appends its value as it is
    Flag& add(std::string name, StringMap& field, std::string help); // K=V; a key given twice is an error
    // `field` is `implied` when the flag stands alone; `shown` is what help names as the default.
    Flag& add_optional(std::string name, std::string& field, std::string implied, std::string shown, std::string help);
    Flag& add_optional(std::string name, Words& field, std::string implied, std::string shown,
                       std::string help); // each use appends
    Flag& add_custom(Flag flag);

    const std::vector<Flag>& all() const { return flags_; }
    const Flag* find(std::string_view name) const;

private:
    std::vector<Flag> flags_;
};

bool bool_value(const std::string& value); // for setters of custom flags

// Takes tokens from the left with the flags of several sets (the command's own first, then the global ones).
class FlagParser
{
public:
    using Warn = std::function<void(const std::string&)>;
    FlagParser(std::vector<const FlagSet*> sets, Warn warn) : sets_{std::move(sets)}, warn_{std::move(warn)} {}

    // If words[at] is a flag: applies it, moves `at` past it and its value, true. "-", "--" and words: false.
    bool take(std::span<const std::string> words, std::size_t& at) const;

    // Flags up to the first positional (or "--"); with `interspersed`, flags anywhere before "--".
    // Returns the positionals; not interspersed, everything from the first positional on, untouched.
    Words parse(std::span<const std::string> words, bool interspersed) const;

private:
    const Flag& find(const std::string& name) const;
    void take_short(std::span<const std::string> words, std::size_t& at) const;
    void apply(const Flag& flag, const std::string& value, const std::string& token) const;
    std::vector<const FlagSet*> sets_;
    Warn warn_;
};

} // namespace rocket::cli

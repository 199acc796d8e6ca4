// SPDX-License-Identifier: Apache-2.0
// The one error type. An Error is a chain of causes, outermost first ("error setting up stage0" -> "error
// preparing stage1" -> "no space left on device"), a kind for the code that has to choose what to do next, and,
// where there is one, the next step for the user. Library code throws and never logs; main() reports once.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace rocket
{

class Error : public std::exception
{
public:
    enum class Kind {
        usage,       // the caller asked for something that makes no sense
        not_found,   // the thing asked for is not there
        untrusted,   // a signature is missing, wrong, or by nobody we trust
        corrupt,     // input or stored data does not obey its format
        busy,        // somebody else holds it; trying again later can help
        unsupported, // the host, or this build, cannot do it
        system,      // a system call failed
    };

    Error(Kind kind, std::string text, std::string hint = {});

    // What was being done when it happened; becomes the new outermost cause.
    Error& add_context(std::string doing);
    Error& set_hint(std::string hint);
    Error& set_error_number(int error_number);

    Kind kind() const noexcept { return kind_; }
    const std::string& hint() const noexcept { return hint_; }
    int error_number() const noexcept { return error_number_; }                 // errno of the failed system call, or 0
    const std::vector<std::string>& causes() const noexcept { return causes_; } // outermost first, never empty
    const std::string& innermost() const noexcept { return causes_.back(); }
    const char* what() const noexcept override { return joined_.c_str(); } // "outer: ...: inner"

    // Across a process border: a child writes serialize() into a pipe, the parent rethrows deserialize().
    std::string serialize() const;
    static Error deserialize(std::string_view bytes);

private:
    void join();

    Kind kind_;
    std::vector<std::string> causes_;
    std::string hint_;
    std::string joined_;
    int error_number_ = 0;
};

// throw Error{kind, formatted text}
template <typename... Arg>
[[noreturn]] void fail(Error::Kind kind, fmt::format_string<Arg...> text, Arg&&... arg)
{
    throw Error{kind, fmt::format(text, std::forward<Arg>(arg)...)};
}

// "TEXT: No such file or directory", for the given errno value; ENOENT becomes Kind::not_found.
Error system_error(int error_number, std::string text);

// Runs `act`; an Error that leaves it gets `doing` as its outermost cause.
template <typename Act>
decltype(auto) with_context(std::string_view doing, Act&& act)
{
    try {
        return std::forward<Act>(act)();
    } catch (Error& error) {
        error.add_context(std::string{doing});
        throw;
    }
}

} // namespace rocket

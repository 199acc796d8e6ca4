// SPDX-License-Identifier: Apache-2.0
// The command line of the entry point `attach` (internals 3.8):
//   --action=list|auto-attach|custom-attach --app=NAME [--debug=BOOL] [--detach-keys=KEYS] and for custom-attach
//   --stdin=BOOL --stdout=BOOL --stderr=BOOL --tty-in=BOOL --tty-out=BOOL
// Pure. Errors: Kind::usage.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "stage1/attach/protocol.hh"

namespace rocket::stage1::attach
{

struct Options {
    bool list = false;
    std::string app;
    Endpoints wanted = 0; // 0: all that there are
    std::string detach_keys;
};

Options parse_options(std::span<const char* const> words); // without argv[0]

// "ctrl-p,ctrl-q": single characters and ctrl-LETTER, ctrl-], ctrl-\, ctrl-^, ctrl-_, separated by commas; empty: none.
std::string parse_detach_keys(std::string_view text);

// Finds a sequence of keys in what is typed, and holds back what could be its beginning. Pure.
class DetachKeys
{
public:
    explicit DetachKeys(std::string keys) : keys_{std::move(keys)} {}
    // What is to be handed on; `detached()` is true once the whole sequence was typed.
    std::string typed(std::string_view bytes);
    bool detached() const noexcept { return detached_; }

private:
    std::string keys_;
    std::size_t matched_ = 0;
    bool detached_ = false;
};

} // namespace rocket::stage1::attach

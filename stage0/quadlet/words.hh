// SPDX-License-Identifier: Apache-2.0
// Words on a line as systemd takes them apart (systemd.syntax(7), "Quoting"), and the way back. Specifiers (%i) and
// variables ($X) are left as they are: the service manager expands them when the unit starts. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rocket::quadlet
{

// Kind::usage for a quote that is not closed or an escape that does not exist.
std::vector<std::string> split_words(std::string_view line);

// As one word of an ExecStart= line.
std::string quote_word(std::string_view word);
std::string join_words(const std::vector<std::string>& words);

// What no specifier or variable is to be made of: "%" and "$" doubled.
std::string literal(std::string_view text);

} // namespace rocket::quadlet

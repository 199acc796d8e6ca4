// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/words.hh"

#include <cctype>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::quadlet
{

namespace
{

constexpr std::string_view escapes = "abfnrtv\\\"'s";
constexpr std::string_view escaped = "\a\b\f\n\r\t\v\\\"' ";

bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// The character an escape stands for; `at` is on the letter behind the backslash and ends behind the escape.
char unescape(std::string_view line, std::size_t& at)
{
    if (at < line.size()) {
        if (const auto known = escapes.find(line[at]); known != std::string_view::npos) {
            ++at;
            return escaped[known];
        }
        const bool octal = line[at] >= '0' && line[at] <= '3';
        const auto digits = line.substr(octal ? at : at + 1, octal ? 3 : 2);
        if (octal || line[at] == 'x') {
            unsigned value = 0;
            bool right = digits.size() == (octal ? 3U : 2U);
            for (const char c : digits) {
                right = right && (octal ? c >= '0' && c <= '7' : std::isxdigit(static_cast<unsigned char>(c)) != 0);
                const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
                value = value * (octal ? 8 : 16) + static_cast<unsigned>(lower <= '9' ? lower - '0' : lower - 'a' + 10);
            }
            if (right && value != 0) {
                at += 3; // three digits, or the x and two
                return static_cast<char>(value);
            }
        }
    }
    fail(Error::Kind::usage, "{} has an escape that does not exist", text::quoted(line));
}

} // namespace

std::vector<std::string> split_words(std::string_view line)
{
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = '\0';
    for (std::size_t at = 0; at < line.size();) {
        const char c = line[at++];
        if (quote == '\0' && is_blank(c)) {
            if (in_word)
                words.push_back(std::move(word));
            word.clear();
            in_word = false;
            continue;
        }
        if (quote == '\0' && (c == '"' || c == '\'')) { // also within a word
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else {
            word += c == '\\' ? unescape(line, at) : c;
        }
        in_word = true;
    }
    if (quote != '\0')
        fail(Error::Kind::usage, "{} has a quote that is not closed", text::quoted(line));
    if (in_word)
        words.push_back(std::move(word));
    return words;
}

std::string quote_word(std::string_view word)
{
    const bool plain =
        !word.empty() && word != ";" && word.find_first_of(" \t\n\r\a\b\f\v\"'\\") == std::string_view::npos;
    if (plain)
        return std::string{word};
    std::string quoted = "\"";
    for (const char c : word) {
        const auto known = c == ' ' || c == '\'' ? std::string_view::npos : escaped.find(c);
        if (known != std::string_view::npos)
            quoted += {'\\', escapes[known]};
        else
            quoted += c;
    }
    return quoted + '"';
}

std::string join_words(const std::vector<std::string>& words)
{
    std::string line;
    for (const auto& word : words)
        line += (line.empty() ? "" : " ") + quote_word(word);
    return line;
}

std::string literal(std::string_view text)
{
    std::string doubled;
    for (const char c : text)
        doubled += c == '%' || c == '$' ? std::string(2, c) : std::string(1, c);
    return doubled;
}

} // namespace rocket::quadlet

// SPDX-License-Identifier: Apache-2.0
#include "common/model/ac_name.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

template <Grammar grammar>
constexpr std::string_view separators = grammar == Grammar::identifier ? "-._~/" : "-";

template <Grammar grammar>
constexpr bool is_separator(char c)
{
    return separators<grammar>.find(c) != std::string_view::npos;
}

// Two separators that may stand side by side: a user's page, example.com/~user/app (TYP-3).
template <Grammar grammar>
constexpr bool is_pair(char first, char second)
{
    return grammar == Grammar::identifier && first == '/' && second == '~';
}

// The first thing wrong, or an empty text. The order is that of TYP-2.
template <Grammar grammar>
std::string fault_of(std::string_view text)
{
    if (text.empty())
        return "a name cannot be empty";
    if (!std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || is_separator<grammar>(c); }))
        return fmt::format("{} is not a valid name: only a-z, 0-9 and {} are allowed", text::quoted(text),
                           separators<grammar>);
    if (!is_alphanumeric(text.front()) || !is_alphanumeric(text.back()))
        return fmt::format("{} is not a valid name: it must begin and end with a letter or digit", text::quoted(text));
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        const bool both = !is_alphanumeric(text[i]) && !is_alphanumeric(text[i + 1]);
        const bool third = i + 2 < text.size() && !is_alphanumeric(text[i + 2]);
        if (both && (third || !is_pair<grammar>(text[i], text[i + 1])))
            return fmt::format("{} is not a valid name: it has two separators in a row", text::quoted(text));
    }
    return {};
}

constexpr char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What the user may have meant.
template <Grammar grammar>
std::string hint_for(std::string_view text)
{
    const bool has_any = std::ranges::any_of(text, [](char c) { return is_alphanumeric(lower(c)); });
    return has_any ? fmt::format("a valid name would be {}", CheckedName<grammar>::sanitized(text).str()) : "";
}

} // namespace

template <Grammar grammar>
CheckedName<grammar> CheckedName<grammar>::parse(std::string_view text)
{
    if (auto fault = fault_of<grammar>(text); !fault.empty())
        throw Error{Error::Kind::usage, std::move(fault), hint_for<grammar>(text)};
    return CheckedName{std::string{text}};
}

template <Grammar grammar>
CheckedName<grammar> CheckedName<grammar>::sanitized(std::string_view text)
{
    constexpr char substitute = grammar == Grammar::identifier ? '_' : '-';
    std::string out;
    std::string run; // of separators since the last letter or digit
    for (const char raw : text) {
        const char c = lower(raw);
        if (!is_alphanumeric(c)) {
            run += is_separator<grammar>(c) ? c : substitute;
            continue;
        }
        if (!out.empty() && !run.empty())
            out += run.size() > 1 && is_pair<grammar>(run[0], run[1]) ? run.substr(0, 2) : run.substr(0, 1);
        run.clear();
        out += c;
    }
    if (out.empty())
        fail(Error::Kind::usage, "cannot make a name of {}", text::quoted(text));
    return CheckedName{std::move(out)};
}

template class CheckedName<Grammar::identifier>;
template class CheckedName<Grammar::name>;

AppName default_app_name(const AcIdentifier& image_name)
{
    const std::string_view whole = image_name.str();
    return AppName::sanitized(whole.substr(whole.rfind('/') + 1)); // npos + 1 is 0
}

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/limits.hh"

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::unpack
{

std::vector<std::string> words_of(const Limits& limits)
{
    std::vector<std::string> words;
    for (const auto& [name, value] : limit_names)
        words.push_back(fmt::format("{}={}", name, limits.*value));
    return words;
}

void set_limit(Limits& limits, std::string_view word)
{
    const auto equals = word.find('=');
    for (const auto& [name, value] : limit_names) {
        if (name != word.substr(0, equals))
            continue;
        const auto number = equals == word.npos ? std::nullopt : text::parse_decimal(word.substr(equals + 1));
        if (!number)
            fail(Error::Kind::usage, "limit {} needs a number", text::quoted(name));
        limits.*value = *number;
        return;
    }
    fail(Error::Kind::usage, "unknown limit {}", text::quoted(word.substr(0, equals)));
}

} // namespace rocket::unpack

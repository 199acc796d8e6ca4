// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/challenge.hh"

#include <algorithm>
#include <optional>

namespace rocket::oci
{

namespace
{

constexpr std::string_view token_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~/:";

class Reader
{
public:
    explicit Reader(std::string_view text) : rest_{text} {}

    bool at_end() const noexcept { return rest_.empty(); }
    void skip(std::string_view characters)
    {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
    }
    bool take(char c)
    {
        if (rest_.empty() || rest_[0] != c)
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string token()
    {
        const auto size = std::min(rest_.find_first_not_of(token_characters), rest_.size());
        std::string text{rest_.substr(0, size)};
        rest_.remove_prefix(size);
        return text;
    }
    std::optional<std::string> quoted() // behind the opening quote
    {
        std::string text;
        while (!rest_.empty() && rest_[0] != '"') {
            if (rest_[0] == '\\')
                rest_.remove_prefix(1);
            if (rest_.empty())
                return std::nullopt;
            text += rest_[0];
            rest_.remove_prefix(1);
        }
        if (!take('"'))
            return std::nullopt;
        return text;
    }

private:
    std::string_view rest_;
};

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

} // namespace

std::vector<Challenge> parse_challenges(std::string_view header)
{
    std::vector<Challenge> challenges;
    Reader reader{header};
    for (;;) {
        reader.skip(" \t,");
        if (reader.at_end())
            return challenges;
        auto word = lower(reader.token());
        if (word.empty())
            return challenges;
        reader.skip(" \t");
        if (!reader.take('=')) { // no parameter, so a new scheme
            challenges.push_back({.scheme = std::move(word), .parameters = {}});
            continue;
        }
        reader.skip(" \t");
        const auto value = reader.take('"') ? reader.quoted() : std::optional{reader.token()};
        if (!value || challenges.empty())
            return challenges;
        challenges.back().parameters[word] = *value;
    }
}

} // namespace rocket::oci

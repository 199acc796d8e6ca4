// SPDX-License-Identifier: Apache-2.0
#include "common/model/ac_version.hh"

#include <algorithm>
#include <optional>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

bool is_digits(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_identifier(std::string_view text)
{
    constexpr std::string_view allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool has_leading_zero(std::string_view text)
{
    return text.size() > 1 && text.front() == '0';
}

// Cuts `text` at the first `mark`; what is behind it, or nullopt.
std::optional<std::string_view> cut_behind(std::string_view& text, char mark)
{
    const auto at = text.find(mark);
    if (at == std::string_view::npos)
        return std::nullopt;
    const auto behind = text.substr(at + 1);
    text = text.substr(0, at);
    return behind;
}

std::strong_ordering compare_identifiers(const std::string& a, const std::string& b)
{
    if (is_digits(a) != is_digits(b))
        return is_digits(a) ? std::strong_ordering::less : std::strong_ordering::greater;
    if (is_digits(a) && a.size() != b.size()) // no leading zeros: the longer number is the greater one
        return a.size() <=> b.size();
    return a <=> b;
}

} // namespace

AcVersion AcVersion::parse(std::string_view text)
{
    const auto refuse = [&](std::string_view why) {
        fail(Error::Kind::usage, "{} is not a valid version: {}", text::quoted(text), why);
    };
    AcVersion version;
    std::string_view rest = text;
    if (const auto metadata = cut_behind(rest, '+')) {
        if (!std::ranges::all_of(text::split(*metadata, '.'), is_identifier))
            refuse("its build metadata is malformed");
        version.metadata_ = *metadata;
    }
    if (const auto pre_release = cut_behind(rest, '-')) {
        version.pre_release_ = text::split(*pre_release, '.');
        for (const auto& part : version.pre_release_)
            if (!is_identifier(part) || (is_digits(part) && has_leading_zero(part)))
                refuse("its pre-release part is malformed");
    }
    const auto numbers = text::split(rest, '.');
    if (numbers.size() != std::size(version.numbers_))
        refuse("expected three numbers, as in 0.8.11");
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto number = text::parse_decimal(numbers[i], INT64_MAX);
        if (!number || has_leading_zero(numbers[i]))
            refuse("expected three numbers, as in 0.8.11");
        version.numbers_[i] = *number;
    }
    if (text == "0.0.0")
        refuse("it cannot be zero");
    return version;
}

const AcVersion& AcVersion::ours()
{
    static const AcVersion version = parse("0.8.11");
    return version;
}

std::string AcVersion::str() const
{
    auto text = fmt::format("{}.{}.{}", numbers_[0], numbers_[1], numbers_[2]);
    if (!pre_release_.empty())
        text += fmt::format("-{}", fmt::join(pre_release_, "."));
    if (!metadata_.empty())
        text += "+" + metadata_;
    return text;
}

std::strong_ordering AcVersion::operator<=>(const AcVersion& other) const
{
    if (const auto order = std::lexicographical_compare_three_way(std::begin(numbers_), std::end(numbers_),
                                                                  std::begin(other.numbers_), std::end(other.numbers_));
        std::is_neq(order))
        return order;
    if (pre_release_.empty() != other.pre_release_.empty())
        return pre_release_.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
    return std::lexicographical_compare_three_way(pre_release_.begin(), pre_release_.end(), other.pre_release_.begin(),
                                                  other.pre_release_.end(), compare_identifiers);
}

void AcVersion::check_understood() const
{
    if (major_number() > ours().major_number())
        fail(Error::Kind::usage, "version {} of the specification is too new: this build understands {}", str(),
             ours().str());
}

} // namespace rocket::model

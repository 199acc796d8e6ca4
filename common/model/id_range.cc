// SPDX-License-Identifier: Apache-2.0
#include "common/model/id_range.hh"

#include <fmt/format.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

IdRange IdRange::parse(std::string_view text)
{
    constexpr std::uint64_t id_limit = UINT32_MAX; // 4294967295 is no id
    const auto colon = text.find(':');
    const auto first = text::parse_decimal(text.substr(0, colon), id_limit);
    const auto count =
        colon == std::string_view::npos ? std::nullopt : text::parse_decimal(text.substr(colon + 1), id_limit);
    if (!first || !count || *count == 0 || *first + *count > id_limit)
        fail(Error::Kind::usage, "{} is no range of ids: FIRST:COUNT is expected", text::quoted(text));
    return {static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*count)};
}

std::string IdRange::str() const
{
    return fmt::format("{}:{}", first, count);
}

} // namespace rocket::model

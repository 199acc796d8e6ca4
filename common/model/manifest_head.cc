// SPDX-License-Identifier: Apache-2.0
#include "common/model/manifest_head.hh"

#include "common/sys/text.hh"

namespace rocket::model
{

void check_kind(json::Fields& fields, std::string_view expected)
{
    const auto kind = fields.required_text("acKind");
    if (kind.text() != expected)
        kind.fail(fmt::format(" must be \"{}\", not {}", expected, text::quoted(kind.text())));
}

} // namespace rocket::model

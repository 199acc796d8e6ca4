// SPDX-License-Identifier: Apache-2.0
// The `user` and `group` of an app -> numbers, from the app's own root and nothing else (USR-1..6). The forms: "/path"
// (the owner of that file), a name (looked up first, even if it is all digits), a number 0...4294967294. Errors:
// Kind::usage, saying which form failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/sys/path.hh"

namespace rocket::stage1
{

std::uint32_t resolve_user(const std::string& user, const InRoot& root);
std::uint32_t resolve_group(const std::string& group, const InRoot& root);

// The id of a name in the text of a passwd or group file: third field; the first good line wins, others are skipped.
std::optional<std::uint32_t> find_in_passwd(std::string_view content, std::string_view name);
std::optional<std::uint32_t> find_in_group(std::string_view content, std::string_view name);

} // namespace rocket::stage1

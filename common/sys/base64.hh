// SPDX-License-Identifier: Apache-2.0
// Base64 as in RFC 4648, chapter 4: with padding, in one line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rocket::text
{

std::string encode_base64(std::string_view bytes);
// Nothing if it is anything else: a letter outside the alphabet, a length that is no multiple of four, padding
// inside, bits that nothing stands for.
std::optional<std::string> decode_base64(std::string_view base64);

} // namespace rocket::text

// SPDX-License-Identifier: Apache-2.0
// What both manifests begin with. Errors: Kind::corrupt with the place.
#pragma once

#include <string_view>

#include "common/model/json_object.hh"

namespace rocket::model
{

void check_kind(json::Fields& fields, std::string_view expected); // TYP-9

} // namespace rocket::model

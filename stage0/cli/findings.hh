// SPDX-License-Identifier: Apache-2.0
// What a host has and lacks, as `doctor` and `explain` show it.
#pragma once

#include <string_view>

#include "common/model/json.hh"
#include "stage0/cli/context.hh"
#include "stage0/doctor/checks.hh"

namespace rocket::cli
{

doctor::Places places_of(const Context& context);
model::json::Value to_json(const doctor::Check& check, const doctor::Finding& finding);
// A line, and another one if there is something to do about it.
void print(const Context& context, const doctor::Check& check, const doctor::Finding& finding,
           std::string_view indent = "");

} // namespace rocket::cli

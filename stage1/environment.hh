// SPDX-License-Identifier: Apache-2.0
// The exact environment of an app, its event handlers and whoever enters it (ENV-1..6, cli 7.4). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/model/app.hh"
#include "stage1/app_spec.hh"
#include "stage1/pod_facts.hh"

namespace rocket::stage1
{

// `own` is what manifest and command line say; the caller's variables are in it already if that was asked for.
std::vector<EnvVar> app_environment(const model::Environment& own, std::string_view app, const PodFacts& facts);

// The pod's own: what an image or the caller says about them does not count (ENV-2, ENV-6).
bool is_reserved_variable(std::string_view name) noexcept;

const std::string* find_variable(const std::vector<EnvVar>& environment, std::string_view name) noexcept;

} // namespace rocket::stage1

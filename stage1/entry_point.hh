// SPDX-License-Identifier: Apache-2.0
// What main functions of entry points have in common: standard descriptors, messages under the program's name, and
// 254 for a failure of our own.
#pragma once

#include <functional>
#include <string>

namespace rocket::stage1
{

constexpr int own_failure = 254;

// The exit status: what `act` returns. What it throws is printed.
int entry_point(const std::string& name, const std::function<int()>& act);

} // namespace rocket::stage1

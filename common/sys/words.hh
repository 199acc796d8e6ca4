// SPDX-License-Identifier: Apache-2.0
// Words as execve(2) wants them.
#pragma once

#include <string>
#include <vector>

namespace rocket
{

// They point into `words`, with a null pointer behind them.
std::vector<char*> pointers_to(const std::vector<std::string>& words);

} // namespace rocket

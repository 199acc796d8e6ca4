// SPDX-License-Identifier: Apache-2.0
// Tables of the command line, aligned with TABs only, so that scripts can split on runs of them (cli 6.4).
#pragma once

#include <string>
#include <vector>

namespace rocket::cli
{

using Row = std::vector<std::string>;

// Column width = longest cell + 1, rounded up to a multiple of 8; the last cell has no padding. Each row ends in LF.
std::string layout(const std::vector<Row>& rows);

} // namespace rocket::cli

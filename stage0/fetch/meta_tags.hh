// SPDX-License-Identifier: Apache-2.0
// The meta tags of a page that discovery looks at (appc chapter 15.3), in the order they stand there.
#pragma once

#include <string_view>
#include <vector>

#include "stage0/fetch/protocol.hh"

namespace rocket::fetch
{

// All <meta name="ac-..." content="...">, wherever they are but in scripts, comments and the like (DISC-17, 18).
// Never fails: any text is a page.
std::vector<Tag> ac_tags(std::string_view html);

} // namespace rocket::fetch

// SPDX-License-Identifier: Apache-2.0
// A stack of trees and a manifest as an uncompressed App Container image: the members in the order of their paths,
// manifest last, PAX headers only where the old ones do not suffice, names of users left out. The same input always
// gives the same bytes. Errors: Kind::system.
#pragma once

#include <functional>
#include <string_view>

#include "stage0/store/layer_stack.hh"

namespace rocket::store
{

void write_aci(const LayerStack& trees, std::string_view manifest, int to, const std::function<void()>& tick);

} // namespace rocket::store

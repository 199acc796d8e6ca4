// SPDX-License-Identifier: Apache-2.0
// A network's plugins, called in the order that CNI prescribes: ADD and CHECK from first to last, each being told the
// result of the one before; DEL from last to first, each being told the final result. Every error names network, plugin
// and call.
#pragma once

#include <functional>
#include <string>

#include "common/model/network.hh"
#include "common/sys/error.hh"

namespace rocket::stage1
{

struct ChainContext {
    std::string container_id;
    std::string netns; // empty: it is gone
    std::string search_path;
    int held_fd = -1;
};

// An error leaves those plugins in `network` that were called, and says whether the last of them refused.
model::CniResult add(model::AttachedNetwork& network, const ChainContext& context);
void check(const model::AttachedNetwork& network, const ChainContext& context);
// Calls every plugin, whatever the others say; `failed` gets what they do. Of one that refused the ADD it does not
// matter: it has said that nothing came of it, and what kept it from that may keep it from this for ever.
void del(const model::AttachedNetwork& network, const ChainContext& context,
         const std::function<void(const Error&)>& failed);

bool is_at_least(const std::string& cni_version, const std::string& other); // "0.4.0"

} // namespace rocket::stage1

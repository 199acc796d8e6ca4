// SPDX-License-Identifier: Apache-2.0
// The pods that are registered and run: those of the data directory with a record (model/metadata.hh) whose supervisor
// is alive. Nothing is kept besides: after a restart the directory says it again (MDS-22), and a pod that has ended is
// forgotten, and its token with it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/metadata.hh"
#include "stage0/metadata/keys.hh"
#include "stage0/pod/pod.hh"

namespace rocket::metadata
{

struct RegisteredPod {
    pod::Pod pod;
    model::MetadataRecord record;
    std::string token;
    Fd supervisor; // pidfd: readable when it has ended
};

class Pods
{
public:
    Pods(model::Layout layout, const Keys& keys) : layout_{std::move(layout)}, keys_{keys} {}

    void find_all(); // one whose record is broken is left out, with a line in the log
    // Kind::not_found if no such pod runs and has a record.
    const RegisteredPod& add(const model::PodId& id);
    void forget(const model::PodId& id) { pods_.erase(id); }

    // Who has this token and asks from `peer` at `listen`; nullptr: nobody (MDS-20).
    const RegisteredPod* find(std::string_view token, const std::string& listen, const std::string& peer) const;
    const std::map<model::PodId, RegisteredPod>& all() const noexcept { return pods_; }

private:
    model::Layout layout_;
    const Keys& keys_;
    std::map<model::PodId, RegisteredPod> pods_;
};

} // namespace rocket::metadata

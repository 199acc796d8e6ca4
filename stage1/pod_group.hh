// SPDX-License-Identifier: Apache-2.0
// The pod's cgroup as its supervisor owns it: emptied and, unless it is a scope of the host's systemd, removed by the
// destructor, whatever happens.
#pragma once

#include <string>

#include "stage1/teardown.hh"

namespace rocket::stage1
{

class PodGroup
{
public:
    PodGroup() = default;
    PodGroup(const PodGroup&) = delete;
    PodGroup& operator=(const PodGroup&) = delete;
    ~PodGroup();

    // Throws if it is one that we are in ourselves: its end would be ours, and that of whoever started us.
    void set(std::string group, GroupOwner owner);
    const std::string& name() const noexcept { return group_; }
    GroupOwner owner() const noexcept { return owner_; }

private:
    std::string group_;
    GroupOwner owner_ = GroupOwner::ours;
};

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage1/pod_group.hh"

#include <exception>

#include "common/sys/cgroup.hh"
#include "common/sys/error.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

PodGroup::~PodGroup()
{
    try {
        if (group_.empty())
            return;
        cgroup::kill(group_);
        if (owner_ == GroupOwner::ours)
            cgroup::remove(group_, 1000);
    } catch (const std::exception&) { // gc will see to it
    }
}

void PodGroup::set(std::string group, GroupOwner owner)
{
    if (is_at_or_below(cgroup::of_process(0).value_or("/"), group))
        fail(Error::Kind::system, "cgroup {} is not the pod's own", text::quoted(group));
    group_ = std::move(group);
    owner_ = owner;
}

} // namespace rocket::stage1

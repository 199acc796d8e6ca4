// SPDX-License-Identifier: Apache-2.0
// A pod without a PID namespace has nobody whose death is everybody's. Should the supervisor be killed, the kernel
// kills the app's first process only; this one, a child of the supervisor that does nothing but wait for that moment,
// kills the pod's cgroup. It holds the pod's lock so long: the pod has not ended before.
#pragma once

#include <string>

#include "common/sys/process.hh"

namespace rocket::stage1::fly
{

class Warden
{
public:
    explicit Warden(const std::string& group); // of the pod; need not exist yet
    // The supervisor ends the pod itself, and this one first.
    ~Warden() = default;
    Warden(const Warden&) = delete;
    Warden& operator=(const Warden&) = delete;

private:
    Process process_;
};

} // namespace rocket::stage1::fly

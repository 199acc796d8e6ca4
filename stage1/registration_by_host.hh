// SPDX-License-Identifier: Apache-2.0
// The pod as a machine, for a supervisor whom machined does not take as root: the host's helper for users who are not
// root registers it, over the connection that stage0 began (common/model/own_users.hh).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/model/names.hh"
#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class RegistrationByHost
{
public:
    using Failed = std::function<void(const std::string& why)>;

    // From the environment; nullopt: stage0 has none, or the pod is not to be registered.
    static std::optional<RegistrationByHost> take();

    // Returns at once; the answer comes through the loop, and ends the connection. Not to be moved from then on.
    void ask(const model::PodId& id, const Fd& init, EventLoop& loop, Failed failed);

private:
    explicit RegistrationByHost(Fd host) : host_{std::move(host)} {}

    Fd host_;
    Source answer_;
};

} // namespace rocket::stage1

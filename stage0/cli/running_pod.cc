// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/running_pod.hh"

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/pod/wait.hh"

namespace rocket::cli
{

void check_is_running(const pod::Pod& pod)
{
    const auto id = text::quoted(pod.id().str());
    if (pod.state() != pod::State::running)
        fail(Error::Kind::usage, "pod {} isn't currently running", id);
    if (!pod::is_ready(pod))
        throw Error{Error::Kind::busy, fmt::format("supervisor for pod {} is not yet ready", id),
                    "rocket status --wait-ready waits for it"};
}

pod::Pod find_running_pod(const model::Layout& layout, const std::string& uuid)
{
    auto pod = pod::find(layout, uuid);
    check_is_running(pod);
    return pod;
}

} // namespace rocket::cli

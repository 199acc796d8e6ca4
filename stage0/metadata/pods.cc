// SPDX-License-Identifier: Apache-2.0
#include "stage0/metadata/pods.hh"

#include <algorithm>

#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/text.hh"

namespace rocket::metadata
{

namespace
{

[[noreturn]] void not_running(const model::PodId& id)
{
    fail(Error::Kind::not_found, "pod {} does not run here", text::quoted(id.str()));
}

// The descriptor first, then the look whether the pod still runs: so it is its supervisor's, and nobody else's who got
// the same pid.
Fd open_supervisor(pod::Pod& pod)
{
    const auto pid = pod.supervisor();
    auto supervisor = pid ? open_pidfd(*pid) : std::nullopt;
    if (!supervisor || pod.refresh() != pod::State::running)
        not_running(pod.id());
    return std::move(*supervisor);
}

} // namespace

void Pods::find_all()
{
    for (const auto& place : pod::walk(layout_, {pod::PodStage::run})) {
        try {
            add(place.id);
        } catch (const Error& error) {
            if (error.kind() != Error::Kind::not_found)
                log::print("pod {}: {}", place.id.str(), error.what());
        }
    }
}

const RegisteredPod& Pods::add(const model::PodId& id)
{
    auto pod = pod::Pod::open(layout_, pod::PodStage::run, id);
    if (!pod)
        not_running(id);
    const auto record = file::read_if_exists(pod->fd(), model::pod_dir::metadata, 64U << 10U);
    if (!record)
        fail(Error::Kind::not_found, "pod {} does not ask to be registered", text::quoted(id.str()));
    auto supervisor = open_supervisor(*pod);
    RegisteredPod registered{std::move(*pod), model::MetadataRecord::parse(*record), keys_.token(id),
                             std::move(supervisor)};
    return pods_.insert_or_assign(id, std::move(registered)).first->second;
}

const RegisteredPod* Pods::find(std::string_view token, const std::string& listen, const std::string& peer) const
{
    const RegisteredPod* found = nullptr;
    for (const auto& [id, pod] : pods_) // all of them, whoever it is: the time tells nothing
        if (is_equal(pod.token, token))
            found = &pod;
    if (found == nullptr || found->record.listen != listen)
        return nullptr;
    const auto& from = found->record.from; // what listens on a loopback is reached from there only
    return from.empty() || std::ranges::find(from, peer) != from.end() ? found : nullptr;
}

} // namespace rocket::metadata

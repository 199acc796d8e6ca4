// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/choose_app.hh"

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/pod/pod_info.hh"

namespace rocket::cli
{

std::string choose_app(const pod::Pod& pod, const std::string& wanted, const std::string& command)
{
    const auto info = pod::read_info(pod, pod::Detail::summary);
    for (const auto& app : info.apps)
        if (app.app.name == wanted)
            return wanted;
    if (!wanted.empty())
        fail(Error::Kind::usage, "no app {} in pod {}", text::quoted(wanted), text::quoted(pod.id().str()));
    if (info.apps.size() == 1)
        return info.apps.front().app.name.str();
    if (info.apps.empty())
        fail(Error::Kind::usage, "pod {} has no apps", text::quoted(pod.id().str()));
    std::string names;
    for (const auto& app : info.apps)
        names += "\n\t" + app.app.name.str();
    log::print("pod contains multiple apps:{}", names);
    fail(Error::Kind::usage, "unable to determine app name: specify app using \"rocket {} --app= ...\"", command);
}

} // namespace rocket::cli

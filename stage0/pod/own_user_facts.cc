// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/own_user_facts.hh"

#include <sys/stat.h>
#include <systemd/sd-login.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/bus/machines.hh"
#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::pod
{

namespace
{

// Of .../cas/tree/KEY/rootfs, unless it is the host's (users/shared_images.hh): root has made those, with all bits.
std::optional<std::string> key_of_own_tree(const std::string& tree)
{
    const auto words = text::split(tree, '/');
    if (words.size() < 2 || tree.find("/shared/cas/") != std::string::npos)
        return std::nullopt;
    return words[words.size() - 2];
}

bool is_in_other_user_namespace(pid_t process)
{
    struct stat its {
    }, ours{};
    return ::stat(fmt::format("/proc/{}/ns/user", process).c_str(), &its) == 0 &&
           ::stat("/proc/self/ns/user", &ours) == 0 && its.st_ino != ours.st_ino;
}

} // namespace

std::optional<Origin> lacking_set_ids(const Pod& pod, const model::AppName& app)
{
    const auto runtime = model::Runtime::parse(file::read(pod.fd(), model::pod_dir::runtime));
    const auto* const known = runtime.find(app);
    const bool lacks = known != nullptr && std::ranges::any_of(known->trees, [&](const std::string& tree) {
                           const auto key = key_of_own_tree(tree);
                           return key && store::tree_lacks_set_ids(pod.layout(), *key);
                       });
    if (!lacks)
        return std::nullopt;
    return Origin{.what = "set-id bits",
                  .value = "left out of its files",
                  .from = "unit",
                  .by = "RestrictSUIDSGID=, which DynamicUser= implies"};
}

std::optional<Origin> machine_of(const Pod& pod, pid_t init)
{
    const auto supervisor = pod.supervisor();
    char* found = nullptr; // of its unit: somebody else's machine may have the pod's name
    if (!supervisor || ::sd_pid_get_machine_name(init, &found) < 0)
        return std::nullopt;
    const std::unique_ptr<char, decltype(&::free)> name{found, ::free};
    if (name.get() != bus::machine_name(pod.id()))
        return std::nullopt;
    const bool by_host = is_in_other_user_namespace(*supervisor);
    return Origin{.what = "machine",
                  .value = name.get(),
                  .from = by_host ? "rocket-users.socket" : "default",
                  .by = by_host ? "machined takes no pod from a user who is not root" : ""};
}

} // namespace rocket::pod

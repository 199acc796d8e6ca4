// SPDX-License-Identifier: Apache-2.0
// `enter` of fly pods: the app's first process is the one that was recorded, in the pod's cgroup.
#include "stage1/enter/entry.hh"

#include "common/model/layout.hh"
#include "common/sys/cgroup.hh"
#include "common/sys/error.hh"
#include "common/sys/file.hh"
#include "common/sys/process.hh"
#include "common/sys/text.hh"

namespace
{

using namespace rocket;
using namespace rocket::stage1;

Target find_app(int pod, const EnterOptions& options)
{
    check_init(pod, options.pod_init);
    auto spec = read_spec(pod, options.app);
    const auto pid = options.pod_init;
    auto pidfd = open_pidfd(pid);
    const auto group = std::string{text::trim(file::read(pod, model::pod_dir::subcgroup, 4096))};
    // With the descriptor in our hands: a number that changed hands meanwhile is of no process in that group.
    if (!pidfd || cgroup::of_process(pid) != group)
        fail(Error::Kind::usage, "app {} is not running", text::quoted(options.app.str()));
    check_init(pod, pid);
    return target_of(std::move(spec), pid, std::move(*pidfd), group);
}

} // namespace

int main(int argc, char** argv)
{
    return enter_main(argc, argv, find_app);
}

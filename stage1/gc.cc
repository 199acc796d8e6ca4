// SPDX-License-Identifier: Apache-2.0
// The stage1 entry point `gc UUID`: takes away what an ended pod left on the host. The working directory is the pod
// directory, and the caller has made sure that the pod has ended. Can be run any number of times. Exit status 1: its
// network could not be released, and only the pod directory knows what is left.
#include "common/model/layout.hh"
#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/entry_point.hh"
#include "stage1/leftovers.hh"
#include "stage1/net/pod_network.hh"

namespace
{

using namespace rocket;

constexpr int left_over = 1;

model::PodId parse_options(int argc, char** argv)
{
    if (argc != 2)
        fail(Error::Kind::usage, "usage: gc UUID");
    return model::PodId::parse(argv[1]);
}

} // namespace

int main(int argc, char** argv)
{
    return stage1::entry_point("gc", [&] {
        const auto id = parse_options(argc, argv);
        const auto pod = sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
        stage1::remove_journal_link(id);
        stage1::remove_cgroup(pod.get(), id);
        const auto runtime = model::Runtime::parse(file::read(pod.get(), model::pod_dir::runtime));
        return stage1::release_network(runtime.stage1_rootfs, id, pod.get()) ? 0 : left_over;
    });
}

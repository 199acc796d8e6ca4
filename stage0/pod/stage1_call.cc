// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/stage1_call.hh"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>

#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/new_pod.hh"
#include "stage0/pod/stage1_image.hh"
#include "stage0/pod/stage1_interface.hh"

namespace rocket::pod
{

namespace
{

std::string path_of(const Pod& pod, const std::string& name)
{
    const auto runtime = model::Runtime::parse(file::read(pod.fd(), model::pod_dir::runtime));
    return entry_point(file::read(pod.fd(), model::pod_dir::stage1_manifest), runtime.stage1_rootfs, name);
}

[[noreturn]] void exec_in_pod(const Pod& pod, const std::string& program, std::vector<std::string> argv)
{
    sys::check([&] { return ::fchdir(pod.fd()); }, "changing to the pod directory");
    std::vector<char*> pointers;
    for (auto& word : argv)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(program.c_str(), pointers.data());
    throw system_error(errno, fmt::format("executing {}", text::quoted(program)));
}

} // namespace

ExitStatus call_stage1(const Pod& pod, const std::string& name, std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), name);
    arguments.push_back(pod.id().str());
    const char* path = std::getenv("PATH");
    auto process = spawn({.program = path_of(pod, name),
                          .argv = std::move(arguments),
                          .env = {fmt::format("PATH={}", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin")},
                          .fds = {{STDOUT_FILENO, STDOUT_FILENO}, {STDERR_FILENO, STDERR_FILENO}},
                          .working_directory = sys::proc_path(pod.fd())});
    return process.wait();
}

void exec_run(OwnedPod owned, std::vector<std::string> arguments)
{
    const auto program = path_of(owned.pod, "run");
    const auto version = interface_version(file::read(owned.pod.fd(), model::pod_dir::stage1_manifest));
    arguments = understood(std::move(arguments), version, [](const std::string& warning) { log::print(warning); });
    arguments.insert(arguments.begin(), "run");
    arguments.push_back(owned.pod.id().str());
    const auto lock = std::move(owned.lock).hand_over();
    sys::set_cloexec(lock.get(), false);    // stage1 sets it again at once; until it ends, the pod is running
    const int sockets = ::sd_listen_fds(0); // of the host's systemd, for apps (cli 9.3)
    for (int socket = 0; socket < sockets; ++socket)
        sys::set_cloexec(SD_LISTEN_FDS_START + socket, false);
    ::setenv("RKT_LOCK_FD", std::to_string(lock.get()).c_str(), 1);
    exec_in_pod(owned.pod, program, std::move(arguments));
}

void exec_stage1(const Pod& pod, const std::string& name, std::vector<std::string> arguments)
{
    const auto program = path_of(pod, name);
    arguments.insert(arguments.begin(), name);
    exec_in_pod(pod, program, std::move(arguments));
}

} // namespace rocket::pod

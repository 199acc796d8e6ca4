// SPDX-License-Identifier: Apache-2.0
// The stage1 entry point `stop [--force] UUID`: SIGTERM, or SIGKILL, to the pod's supervisor. The working directory is
// the pod directory. Does not wait for the pod's end (cli 8.8).
#include <dirent.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string_view>

#include "common/model/layout.hh"
#include "common/model/names.hh"
#include "common/sys/file.hh"
#include "common/sys/lock.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/entry_point.hh"

namespace
{

using namespace rocket;

struct Options {
    bool force = false;
    std::optional<model::PodId> pod;
};

Options parse_options(int argc, char** argv)
{
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--force")
            options.force = true;
        else if (!options.pod)
            options.pod = model::PodId::parse(word);
        else
            fail(Error::Kind::usage, "unknown argument {}", text::quoted(word));
    }
    if (!options.pod)
        fail(Error::Kind::usage, "usage: stop [--force] UUID");
    return options;
}

// The supervisor keeps the descriptor that holds the pod's lock for as long as it lives.
bool holds_directory(pid_t pid, const struct stat& directory)
{
    const auto path = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> descriptors{::opendir(path.c_str()), ::closedir};
    while (const auto* entry = descriptors ? ::readdir(descriptors.get()) : nullptr) {
        struct stat info {
        };
        if (::fstatat(::dirfd(descriptors.get()), entry->d_name, &info, 0) == 0 && info.st_dev == directory.st_dev &&
            info.st_ino == directory.st_ino)
            return true;
    }
    return false;
}

// A pidfd of the supervisor; nullopt if it has ended. Its number may be somebody else's by now: opened first, checked
// after, so that what is signalled is what was checked.
std::optional<Fd> find_supervisor(int pod)
{
    const auto recorded = file::read_if_exists(pod, model::pod_dir::ppid, 64);
    if (!recorded)
        fail(Error::Kind::busy, "the pod is only just starting: it has no supervisor yet");
    const auto pid = text::parse_decimal(text::trim(*recorded), INT32_MAX);
    if (!pid)
        fail(Error::Kind::corrupt, "{} is not a process: {}", model::pod_dir::ppid, text::quoted(*recorded));
    auto supervisor = open_pidfd(static_cast<pid_t>(*pid));
    if (!supervisor || !holds_directory(static_cast<pid_t>(*pid), sys::stat(pod)))
        return std::nullopt;
    return supervisor;
}

void stop(const Options& options)
{
    const auto pod = sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
    if (!is_locked_exclusively(pod.get(), "."))
        return; // nobody runs it any more
    const auto supervisor = find_supervisor(pod.get());
    if (!supervisor)
        fail(Error::Kind::busy, "the pod is in use, but its supervisor has ended");
    send_signal(supervisor->get(), options.force ? SIGKILL : SIGTERM);
}

} // namespace

int main(int argc, char** argv)
{
    return stage1::entry_point("stop", [&] {
        stop(parse_options(argc, argv));
        return 0;
    });
}

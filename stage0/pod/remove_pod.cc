// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/remove_pod.hh"

#include <dirent.h>

#include <memory>
#include <thread>

#include "common/sys/file.hh"
#include "common/sys/remove.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/new_pod.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::pod
{

namespace
{

constexpr int directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

bool has_run(PodStage stage)
{
    return stage == PodStage::run || stage == PodStage::exited_garbage;
}

// Exit status 1 of gc: what is left on the host only the pod directory knows; it stays for the next attempt.
constexpr int left_over = 1;

void ask_stage1_to_clean_up(const Pod& pod, const std::function<void(const Error&)>& warn)
{
    ExitStatus status;
    try {
        status = call_stage1(pod, "gc", {});
        if (!status.ok() && status.code != left_over)
            fail(Error::Kind::system, "the stage1 clean-up of pod {} failed with status {}",
                 text::quoted(pod.id().str()), status.shell_status());
    } catch (const Error& error) {
        if (warn)
            warn(error);
    }
    if (status.code == left_over)
        throw Error{Error::Kind::busy, "the network of the pod could not be released, so the pod is kept",
                    "the reason is above; try again when it is gone"};
}

// Observers take the lock for a moment, shared; only an owner makes a shared attempt fail, too.
std::optional<Lock> try_exclusive(const Pod& pod)
{
    constexpr int attempts = 100;
    for (int i = 0; i < attempts; ++i) {
        if (auto lock = Lock::try_take(pod.reopen(), Lock::Mode::exclusive))
            return lock;
        if (is_locked_exclusively(pod.fd(), "."))
            return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return std::nullopt;
}

} // namespace

std::optional<OwnedPod> try_own(Pod&& pod)
{
    auto lock = try_exclusive(pod);
    if (!lock)
        return std::nullopt;
    const auto before = pod.stage();
    pod.refresh(); // the lock may have become free because the pod has moved on
    if (pod.state() == State::gone || pod.stage() != before)
        return std::nullopt;
    return OwnedPod{std::move(pod), std::move(*lock)};
}

void remove_owned(OwnedPod owned, const std::function<void(const Error&)>& warn)
{
    auto& pod = owned.pod;
    if (has_run(pod.stage()) && !was_lost(pod)) // else its cgroups and processes went with the power, too
        ask_stage1_to_clean_up(pod, warn);
    unmount_below(pod.path());
    const auto& layout = pod.layout();
    sys::make_dir_if_missing(AT_FDCWD, layout.garbage(), 0700);
    const auto garbage = sys::open(AT_FDCWD, layout.garbage(), directory);
    const auto from = sys::open(AT_FDCWD, layout.pods(pod.stage()), directory);
    const auto name = "pod-" + sys::random_name();
    sys::rename(from.get(), pod.id().str(), garbage.get(), name);
    sys::fsync(garbage.get());
    sys::fsync(from.get());
    remove_tree(garbage.get(), name); // with the lock held: sweepers leave it to us
}

void sweep_garbage(const model::Layout& layout)
{
    auto garbage = sys::open_if_exists(AT_FDCWD, layout.garbage(), directory);
    if (!garbage)
        return;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(sys::duplicate(garbage->get()).release()), ::closedir};
    if (!stream)
        throw system_error(errno, "reading the garbage directory");
    while (const auto* entry = ::readdir(stream.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        try {
            auto dir = sys::open_if_exists(garbage->get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
            if (const auto lock = dir ? Lock::try_take(std::move(*dir), Lock::Mode::exclusive) : std::nullopt)
                remove_tree(garbage->get(), name);
        } catch (const Error& error) {
            if (error.kind() != Error::Kind::not_found) // somebody else was faster
                throw;
        }
    }
}

bool mark_exited(Pod& pod)
{
    try {
        file::write_volatile(pod.fd(), model::pod_dir::gc_marked, "");
    } catch (const Error&) { // a full disk must not keep gc from making room; the directory's ctime will do
    }
    return pod.move_to(PodStage::exited_garbage);
}

} // namespace rocket::pod

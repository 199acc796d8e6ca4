// SPDX-License-Identifier: Apache-2.0
#include "stage1/security_labels.hh"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "common/sys/exec_label.hh"
#include "common/sys/sys.hh"
#include "stage1/channel.hh"
#include "stage1/pod_facts.hh"
#include "stage1/process_clone.hh"

namespace rocket::stage1
{

namespace
{

// For a process that is in an app's root already: nothing that an app could have mounted over it.
Fd open_proc()
{
    constexpr ino_t root_of_procfs = 1;
    auto proc = sys::open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW);
    struct statfs file_system {
    };
    sys::check([&] { return ::fstatfs(proc.get(), &file_system); }, "looking at /proc");
    if (file_system.f_type != PROC_SUPER_MAGIC || sys::stat(proc.get()).st_ino != root_of_procfs)
        fail(Error::Kind::corrupt, "/proc is not what it was");
    return proc;
}

int write_to_proc(const char* file, const std::string& text)
{
    const auto proc = open_proc();
    const auto opened = sys::open_resolved(proc.get(), file, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
    return ::write(opened.get(), text.data(), text.size()) < 0 ? errno : 0;
}

[[noreturn]] void refuse(int why, const std::string& what, const char* unknown, const char* hint)
{
    if (why == ENOENT || why == EINVAL)
        throw Error{Error::Kind::usage, fmt::format("{} {}", what, unknown), hint};
    throw system_error(why, "using " + what);
}

void try_out(const SecurityLabels& labels)
{
    auto channel = make_channel();
    auto trial = clone_into(0, -1);
    if (!trial) {
        try {
            label_next_exec(labels);
        } catch (const Error& error) {
            channel.child.send(error);
        }
        ::_exit(0);
    }
    channel.child.close();
    [[maybe_unused]] const auto none = channel.parent.receive(0); // throws what was sent
}

} // namespace

SecurityLabels labels_of(const model::Isolators& app, const model::Isolators& pod, const PodFacts& facts,
                         std::vector<std::string>& reports)
{
    SecurityLabels labels;
    const auto profile = app.apparmor_profile() ? app.apparmor_profile() : pod.apparmor_profile();
    if (profile && facts.has_apparmor)
        labels.apparmor_profile = *profile;
    else if (profile)
        reports.emplace_back("os/linux/apparmor-profile is not in force: the host has no AppArmor");
    const auto context = app.selinux_context() ? app.selinux_context() : pod.selinux_context();
    if (context && facts.has_selinux)
        labels.selinux_context = context->str();
    else if (context)
        reports.emplace_back("os/linux/selinux-context is not in force: the host has no SELinux");
    return labels;
}

void check_labels(const model::PodManifest& pod, const PodFacts& facts)
{
    for (const auto& app : pod.apps) {
        std::vector<std::string> reported_later;
        const auto labels = labels_of(app.app->isolators, pod.isolators, facts, reported_later);
        if (labels != SecurityLabels{})
            with_context(fmt::format("app {}", text::quoted(app.name.str())), [&] { try_out(labels); });
    }
}

void label_next_exec(const SecurityLabels& labels)
{
    const auto& profile = labels.apparmor_profile;
    if (!profile.empty())
        if (const int why = write_to_proc(exec_label::apparmor_file, exec_label::apparmor_command + profile))
            refuse(why, fmt::format("AppArmor profile {}", text::quoted(profile)), "is not loaded",
                   "load it with apparmor_parser(8); the isolator os/linux/apparmor-profile asks for it");
    const auto& context = labels.selinux_context;
    if (!context.empty())
        if (const int why = write_to_proc(exec_label::selinux_file, context))
            refuse(why, fmt::format("SELinux context {}", text::quoted(context)), "is none of the host's policy",
                   "the isolator os/linux/selinux-context asks for it");
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
// An image's own /etc/hosts and /etc/resolv.conf are left alone unless the user asked for others (ACE-12); those are
// then mounted over them, volumes included (internals 10.7). What an image lacks is written into the app's own layer.
#include <linux/openat2.h>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"
#include "stage1/hosts_text.hh"

namespace rocket::stage1
{

namespace
{

// The files that are mounted over whatever an app has; nothing for those that are not.
std::vector<const char*> mounted_files(const Construction& pod)
{
    std::vector<const char*> names{"hostname"};
    if (pod.sources.hosts)
        names.push_back("hosts");
    if (pod.sources.resolv_conf)
        names.push_back("resolv.conf");
    return names;
}

// /etc itself was made sure of; an entry in it may still be anything.
bool is_missing(const Fd& etc, const char* name)
{
    return !sys::stat_if_exists(etc.get(), name);
}

void write_new(const Fd& etc, const char* name, const std::string& content)
{
    sys::write_all(sys::open(etc.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644).get(), content);
}

// A regular file of that name, to mount on: in place of a link or a special file, which is gone from the app's layer.
void ensure_regular(const Fd& etc, const char* name)
{
    const auto existing = sys::stat_if_exists(etc.get(), name);
    if (existing && S_ISREG(existing->st_mode))
        return;
    if (existing)
        sys::unlink(etc.get(), name, S_ISDIR(existing->st_mode) ? AT_REMOVEDIR : 0);
    write_new(etc, name, "");
}

} // namespace

void write_name_files(const Construction& pod)
{
    write_run_file(pod, "hostname", pod.plan.hostname + '\n');
    if (pod.sources.hosts)
        write_run_file(pod, "hosts", *pod.sources.hosts);
    if (pod.sources.resolv_conf)
        write_run_file(pod, "resolv.conf", *pod.sources.resolv_conf);
}

void prepare_name_files(const Construction& pod, AppRoot& app)
{
    const auto etc = own_directory(app.root, "etc");
    for (const char* name : mounted_files(pod))
        ensure_regular(etc, name);
    if (!pod.sources.hosts && is_missing(etc, "hosts"))
        write_new(etc, "hosts", hosts_of(pod.plan.hostname));
    if (is_missing(etc, "mtab"))
        sys::make_symlink("../proc/self/mounts", etc.get(), "mtab");
}

void mount_name_files(const Construction& pod, const AppRoot& app)
{
    for (const char* name : mounted_files(pod)) {
        // A volume may cover /etc: then the file must be in there. Nothing is created in volumes.
        const auto place = app.root.open_if_exists(fmt::format("/etc/{}", name), O_PATH);
        if (place && S_ISREG(sys::stat(place->get()).st_mode))
            mount::attach(clone_run_file(pod, name).get(), place->get());
        else if (std::string_view{name} != "hostname")
            throw Error{Error::Kind::usage,
                        fmt::format("app {}: a volume covers /etc and has no regular file {}",
                                    text::quoted(app.plan.name), name),
                        fmt::format("create the file in the volume, or do without the options that set /etc/{}", name)};
    }
}

} // namespace rocket::stage1

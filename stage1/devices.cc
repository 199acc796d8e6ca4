// SPDX-License-Identifier: Apache-2.0
// The nodes live on one tmpfs only, PID 1's /dev. An app's /dev is a tmpfs that knows no devices, with those nodes
// mounted on it one by one: whatever an app makes there by mknod(2), it cannot open it (ACE-13).
#include <fcntl.h>
#include <sys/stat.h>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};

struct Link {
    const char* name;
    const char* target;
};
constexpr Link links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

Fd add_directory(const Fd& dev, const char* name)
{
    sys::make_dir(dev.get(), name, 0755);
    return sys::open(dev.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Fd add_file(const Fd& dev, const char* name)
{
    sys::open(dev.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    return sys::open(dev.get(), name, O_PATH | O_NOFOLLOW);
}

void add_links(const Fd& dev)
{
    for (const auto& [name, target] : links)
        sys::make_symlink(target, dev.get(), name);
}

void mount_node(const Fd& from, const char* node, const Fd& place)
{
    const auto tree = mount::clone(sys::open(from.get(), node, O_PATH | O_NOFOLLOW).get(), false);
    mount::set_attributes(tree.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, false);
    mount::attach(tree.get(), place.get());
}

// One node of PID 1's, or a terminal of a devpts, at `name`.
void bind_node(const Fd& from, const char* node, const Fd& dev, const char* name)
{
    mount_node(from, node, add_file(dev, name));
}

// Root of a user namespace makes no devices: the host's serve, each on the file that stands for it.
void borrow_nodes(const Fd& dev)
{
    const auto host = sys::open(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY);
    for (const char* node : nodes)
        mount_node(host, node, sys::open(dev.get(), node, O_PATH | O_NOFOLLOW));
}

// /dev/pts, and the console on its terminal 0 if there is one already.
void add_terminals(const Construction& pod, const Fd& dev, std::optional<Terminal>& terminal)
{
    const auto pts = terminal ? std::move(terminal->filesystem) : new_devpts();
    mount::attach(pts.get(), add_directory(dev, "pts").get());
    if (terminal)
        bind_node(pts, "0", dev, "console");
    else
        bind_node(pod.dev, "null", dev, "console");
}

// Of the IPC namespace; one that is not ours is the host's to show.
Fd message_queues(const Construction& pod)
{
    constexpr auto inert = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (pod.plan.new_ipc || !pod.plan.in_user_namespace)
        return mount::NewFilesystem{"mqueue"}.create(inert);
    auto tree = mount::clone(sys::open(AT_FDCWD, "/dev/mqueue", O_PATH | O_DIRECTORY).get(), false);
    mount::set_attributes(tree.get(), inert, 0, false);
    return tree;
}

} // namespace

void make_device_nodes(Construction& pod, const Fd& place)
{
    pod.dev = std::move(pod.sources.dev);
    mount::attach(pod.dev.get(), place.get());
    if (pod.plan.in_user_namespace)
        borrow_nodes(pod.dev);
    pod.shm = mount::NewFilesystem{"tmpfs"}
                  .set("mode", "1777")
                  .set("size", "64m") // R16
                  .create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    mount::attach(pod.shm.get(), add_directory(pod.dev, "shm").get());
}

void make_devices(Construction& pod)
{
    make_device_nodes(pod, own_directory(pod.root, "dev"));
    add_links(pod.dev);
    add_terminals(pod, pod.dev, pod.sources.console);
}

void mount_app_devices(const Construction& pod, AppRoot& app)
{
    const auto dev = mount::NewFilesystem{"tmpfs"}
                         .set("mode", "0755")
                         .set("size", "1m")
                         .create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    mount::attach(dev.get(), own_directory(app.root, "dev").get());
    for (const char* node : nodes)
        bind_node(pod.dev, node, dev, node);
    add_links(dev);
    add_terminals(pod, dev, app.sources.terminal);
    mount::attach(mount::clone(pod.shm.get(), false).get(), add_directory(dev, "shm").get());
    const auto queues = message_queues(pod);
    mount::attach(queues.get(), add_directory(dev, "mqueue").get());
    app.dev = InRoot{sys::duplicate(dev.get())};
}

} // namespace rocket::stage1

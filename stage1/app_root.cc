// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_root.hh"

#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/mount.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/clones.hh"

namespace rocket::stage1
{

namespace
{

// The modes below are exact, whatever the umask of whoever started us.
void make_dir(int dir, const std::string& name, mode_t mode)
{
    sys::make_dir(dir, name, 0700);
    sys::check([&] { return ::fchmodat(dir, name.c_str(), mode, 0); }, "setting the mode of {}", text::quoted(name));
}

// Kernels before 6.13 take the layers of an overlay by path only.
void set_layer(mount::NewFilesystem& overlay, const char* key, const Fd& layer)
{
    if (!overlay.try_set_fd(key, layer.get()))
        overlay.set(key, sys::proc_path(layer.get()));
}

// The topmost first.
void set_lower_layers(mount::NewFilesystem& overlay, const std::vector<Fd>& layers)
{
    if (!overlay.try_set_fd("lowerdir+", layers.front().get())) {
        std::string paths;
        for (const auto& layer : layers)
            paths += (paths.empty() ? "" : ":") + sys::proc_path(layer.get());
        overlay.set("lowerdir", paths);
        return;
    }
    for (std::size_t index = 1; index < layers.size(); ++index)
        overlay.set_fd("lowerdir+", layers[index].get());
}

void copy_owner_and_mode(const Fd& from, const Fd& to)
{
    const auto wanted = sys::stat(from.get()), found = sys::stat(to.get());
    if (wanted.st_uid != found.st_uid || wanted.st_gid != found.st_gid)
        sys::check([&] { return ::fchownat(to.get(), "", wanted.st_uid, wanted.st_gid, AT_EMPTY_PATH); },
                   "setting the owner of the app's root");
    if (wanted.st_mode != found.st_mode)
        sys::check([&] { return ::fchmodat(to.get(), ".", wanted.st_mode & 07777, 0); },
                   "setting the mode of the app's root");
}

struct Layers {
    std::vector<Fd> lower; // the topmost first
    Fd upper, work;
};

Fd new_overlay(const Layers& layers)
{
    const auto& [lower, upper, work] = layers;
    mount::NewFilesystem overlay{"overlay"};
    set_lower_layers(overlay, lower);
    set_layer(overlay, "upperdir", upper);
    set_layer(overlay, "workdir", work);
    if (in_user_namespace()) // where trusted.* attributes are not for root
        overlay.flag("userxattr");
    overlay.flag(
        "volatile"); // or its end would write back everything dirty on the disk; a pod does not survive a crash
    return overlay.create(MOUNT_ATTR_NODEV);
}

// The overlay makes files of its own on the upper layer, as whoever mounts it: an id that is mapped there. Only this
// process's files are concerned, and none of its capabilities.
void make_files_as(std::uint32_t id)
{
    sys::check([] { return ::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP); }, "keeping capabilities");
    ::setfsgid(id);
    ::setfsuid(id);
}

// An overlay's layers are mapped, not the overlay itself. Upper and work have to be of one mount; and kernels before
// 6.15 take layers only of mounts that are attached in the mount namespace of whoever asks: so in a child, in one of
// its own.
Fd new_mapped_overlay(const Layers& layers, int app_dir, const AppPlan& app, const PrivateUsers& users)
{
    std::vector<Fd> lower;
    for (const auto& tree : layers.lower)
        lower.push_back(private_clone(tree.get(), false, 0, &users));
    auto both = private_clone(app_dir, false, 0, &users);
    auto opened = open_in_child([&] {
        sys::check([] { return ::unshare(CLONE_NEWNS); }, "making a mount namespace");
        const auto root = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
        mount::set_propagation(root.get(), MS_PRIVATE, true);
        const auto places = mount::NewFilesystem{"tmpfs"}.set("mode", "0700").create();
        mount::attach(places.get(), root.get());
        const auto attach = [&](const Fd& tree, const std::string& name) {
            sys::make_dir(places.get(), name, 0700);
            mount::attach(tree.get(), open_dir(places.get(), name).get());
        };
        for (std::size_t index = 0; index < lower.size(); ++index)
            attach(lower[index], fmt::format("lower-{}", index));
        attach(both, "app");
        const auto name = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
        make_files_as(users.range.first);
        std::vector<Fd> made;
        made.push_back(new_overlay({.lower = std::move(lower),
                                    .upper = open_dir(both.get(), name(app.upper)),
                                    .work = open_dir(both.get(), name(app.work))}));
        return made;
    });
    return std::move(opened.at(0));
}

Fd mount_overlay(const AppPlan& app, int pod_dir, const PrivateUsers* users)
{
    Layers layers{.lower = {}, .upper = open_dir(pod_dir, app.upper), .work = open_dir(pod_dir, app.work)};
    for (const auto& tree : app.trees)
        layers.lower.push_back(open_dir(AT_FDCWD, tree));
    copy_owner_and_mode(layers.lower.front(), layers.upper); // the overlay's root is the upper one
    make_top_directories(layers.lower, layers.upper.get());
    if (users == nullptr)
        return new_overlay(layers);
    const auto app_dir = open_dir(pod_dir, app.upper.substr(0, app.upper.rfind('/')));
    return naming("the data directory", [&] { return new_mapped_overlay(layers, app_dir.get(), app, *users); });
}

Fd clone_copy(const AppPlan& app, int pod_dir, const PrivateUsers* users)
{
    const auto copy = open_dir(pod_dir, app.rootfs);
    make_top_directories({}, copy.get());
    return naming("the data directory", [&] { return private_clone(copy.get(), false, MOUNT_ATTR_NODEV, users); });
}

} // namespace

void make_top_directories(std::span<const Fd> image, int layer)
{
    const auto is_dir = [](const auto& found) { return found && S_ISDIR(found->st_mode); };
    const auto image_has_dir = [&](const char* name) {
        for (const auto& tree : image)
            if (const auto found = sys::stat_if_exists(tree.get(), name)) // a white-out is found as well
                return S_ISDIR(found->st_mode);
        return false;
    };
    constexpr std::pair<const char*, mode_t> directories[] = {
        {"dev", 0755}, {"proc", 0755}, {"sys", 0755}, {"run", 0755}, {"etc", 0755}, {"tmp", 01777},
    };
    for (const auto& [name, mode] : directories) {
        const auto ours = sys::stat_if_exists(layer, name);
        if (is_dir(ours) || (!ours && image_has_dir(name)))
            continue;
        if (ours)
            sys::unlink(layer, name); // the pod's copy of the image, not the image
        make_dir(layer, name, mode);
    }
}

Fd open_app_root(const AppPlan& app, bool overlay, int pod_dir, const PrivateUsers* users)
{
    return overlay ? mount_overlay(app, pod_dir, users) : clone_copy(app, pod_dir, users);
}

} // namespace rocket::stage1

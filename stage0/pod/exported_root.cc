// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/exported_root.hh"

#include "common/model/image_manifest.hh"
#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/mount.hh"
#include "common/sys/sys.hh"

namespace rocket::pod
{

namespace
{

constexpr std::uint64_t inert = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Fd open_dir(int dir, const std::string& path)
{
    return sys::open(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

// The topmost first. Kernels before 6.13 take layers by path only.
Fd stack(const std::vector<Fd>& layers)
{
    mount::NewFilesystem overlay{"overlay"};
    if (overlay.try_set_fd("lowerdir+", layers.front().get())) {
        for (std::size_t i = 1; i < layers.size(); ++i)
            overlay.set_fd("lowerdir+", layers[i].get());
        return overlay.create(inert);
    }
    std::string paths;
    for (const auto& layer : layers)
        paths += (paths.empty() ? "" : ":") + sys::proc_path(layer.get());
    return overlay.set("lowerdir", paths).create(inert);
}

} // namespace

Fd open_exported_root(const Pod& pod, const model::AppName& app)
{
    const auto runtime = model::Runtime::parse(file::read(pod.fd(), model::pod_dir::runtime));
    const auto* const known = runtime.find(app);
    if (known == nullptr)
        fail(Error::Kind::usage, "app {} is not present in pod", text::quoted(app.str()));
    if (!runtime.overlay) {
        auto copy = mount::clone(open_dir(pod.fd(), model::pod_dir::app_rootfs(app)).get(), false);
        mount::set_propagation(copy.get(), MS_PRIVATE, false);
        mount::set_attributes(copy.get(), inert, 0, false);
        return copy;
    }
    std::vector<Fd> layers;
    layers.push_back(open_dir(pod.fd(), model::pod_dir::app_upper(app)));
    for (const auto& tree : known->trees)
        layers.push_back(open_dir(AT_FDCWD, tree));
    return stack(layers);
}

std::string exported_manifest(const Pod& pod, const model::AppName& app)
{
    auto text = file::read(pod.fd(), model::pod_dir::app_manifest(app));
    auto manifest = model::ImageManifest::parse(text);
    if (manifest.dependencies.empty() && manifest.path_whitelist.empty())
        return text;
    manifest.dependencies.clear();
    manifest.path_whitelist.clear();
    return manifest.write();
}

} // namespace rocket::pod

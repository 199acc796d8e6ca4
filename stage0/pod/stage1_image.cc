// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/stage1_image.hh"

#include <filesystem>

#include "common/sys/file.hh"
#include "common/sys/path.hh"
#include "common/sys/sys.hh"

namespace rocket::pod
{

Stage1Image load_stage1(const std::string& directory)
{
    std::error_code problem;
    const auto resolved = std::filesystem::canonical(directory, problem); // runtime.json outlives our directory
    if (problem)
        throw Error{Error::Kind::not_found, fmt::format("no stage1 image at {}", text::quoted(directory)),
                    "is Rocket installed completely? --stage1-path names a stage1 directory elsewhere"};
    return with_context("failed to load the stage1 image", [&] {
        const auto dir = sys::open(AT_FDCWD, resolved.string(), O_RDONLY | O_DIRECTORY);
        Stage1Image image{resolved.string() + "/rootfs", file::read(dir.get(), "manifest")};
        model::ImageManifest::parse(image.manifest_text);
        sys::open(dir.get(), "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW);
        return image;
    });
}

std::string entry_point(std::string_view manifest_text, const std::string& rootfs, std::string_view name)
{
    const auto manifest = model::ImageManifest::parse(manifest_text);
    const auto* path = model::find(manifest.annotations, fmt::format("coreos.com/rkt/stage1/{}", name));
    if (!path)
        fail(Error::Kind::unsupported, "the stage1 of this pod has no entry point {}", text::quoted(name));
    return rootfs + clean_absolute(*path);
}

} // namespace rocket::pod

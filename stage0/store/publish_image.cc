// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/publish_image.hh"

#include <cstdio>

#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"

namespace rocket::store
{

namespace
{

constexpr const char* staged_image = "image";

} // namespace

StagedImage::StagedImage(const Staging& staging)
{
    sys::make_dir_if_missing(staging.fd(), staged_image, 0770);
    dir_ = sys::open(staging.fd(), staged_image, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    sys::check([&] { return ::fchmod(dir_.get(), 02770); }, "setting the mode of {}", text::quoted(staged_image));
}

Fd StagedImage::create(const char* name, mode_t mode) const
{
    auto fd = sys::open(dir_.get(), name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, mode);
    sys::check([&] { return ::fchmod(fd.get(), mode); }, "setting the mode of {}", text::quoted(name));
    return fd;
}

void StagedImage::write(const char* name, std::string_view content, mode_t mode) const
{
    const auto fd = create(name, mode);
    with_context(fmt::format("writing {}", text::quoted(name)), [&] { sys::write_all(fd.get(), content); });
}

void publish_staged_image(const Store& store, const Staging& staging, const model::ImageId& id, bool verified)
{
    const auto& layout = store.layout();
    const auto images = sys::open(AT_FDCWD, layout.images(), O_RDONLY | O_DIRECTORY);
    const auto key = id.key();
    if (!sys::rename_no_replace(staging.fd(), staged_image, images.get(), key)) {
        const auto there = read_entry(layout, id);
        if (there && (there->verified || !verified))
            return store.mark_used(id);
        sys::check([&] { return ::renameat2(staging.fd(), staged_image, images.get(), key.c_str(), RENAME_EXCHANGE); },
                   "replacing image {}", text::quoted(key));
    }
    sys::fsync(images.get());
}

} // namespace rocket::store

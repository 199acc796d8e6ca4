// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/publish_image.hh"
#include "stage0/store/directories.hh"

#include <cstdio>

#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"

namespace rocket::store
{

namespace
{

constexpr const char* staged_image = "image";

void replace(const model::Layout& layout, const Staging& staging, int images, const std::string& key)
{
    if (::renameat2(staging.fd(), staged_image, images, key.c_str(), RENAME_EXCHANGE) == 0)
        return;
    if (errno != EACCES) // of one that root made, and we are not root: in two steps
        throw system_error(errno, fmt::format("replacing image {}", text::quoted(key)));
    delete_garbage(layout, discard(layout, images, key));
    sys::rename(staging.fd(), staged_image, images, key);
}

} // namespace

StagedImage::StagedImage(const Staging& staging)
{
    sys::make_dir_if_missing(staging.fd(), staged_image, 0770);
    dir_ = sys::open(staging.fd(), staged_image, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const mode_t mode = shared_mode(::geteuid() == 0 ? 02750 : 02770); // root believes the first only: writer.hh
    sys::check([&] { return ::fchmod(dir_.get(), mode); }, "setting the mode of {}", text::quoted(staged_image));
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
        if (there && there->is_believed && (there->verified || !verified))
            return store.mark_used(id);
        replace(layout, staging, images.get(), key);
    }
    sys::fsync(images.get());
}

} // namespace rocket::store

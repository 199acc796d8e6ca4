// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/blob_file.hh"

#include <unistd.h>

#include <array>

#include "common/sys/remove.hh"
#include "common/sys/sys.hh"
#include "stage0/image/places.hh"

namespace rocket::oci
{

namespace
{

constexpr const char* data_name = "data";

// Others may write where partial downloads lie: what is not ours alone is not gone on with.
bool is_ours(int fd)
{
    const auto info = sys::stat(fd);
    return S_ISREG(info.st_mode) && info.st_uid == ::geteuid() && info.st_nlink == 1;
}

} // namespace

BlobFile::BlobFile(const model::Layout& layout, const store::ContentDigest& digest)
    : digest_{digest}, key_{image::key_of(digest.str())}, lock_{store::NamedLock::try_take(
                                                              image::lock_path(layout, key_))}
{
    if (lock_)
        open_named(layout);
    else
        data_ = sys::open(AT_FDCWD, layout.store_tmp(), O_TMPFILE | O_RDWR, 0600);
}

void BlobFile::open_named(const model::Layout& layout)
{
    all_ = image::open_own(AT_FDCWD, image::partial_dir(layout));
    for (const bool again : {true, false}) {
        sys::make_dir_if_missing(all_.get(), key_, 0710);
        const auto dir = sys::open(all_.get(), key_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const bool is_dir_ours = sys::stat(dir.get()).st_uid == ::geteuid();
        if (is_dir_ours)
            data_ = sys::open(dir.get(), data_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (is_dir_ours && is_ours(data_.get()))
            return;
        if (!again)
            fail(Error::Kind::system, "somebody else writes to {}", text::quoted(image::partial_dir(layout)));
        remove_tree(all_.get(), key_);
    }
}

BlobFile::~BlobFile()
{
    try {
        if (lock_ && (is_complete_ || size() == 0))
            remove_tree(all_.get(), key_);
    } catch (const Error&) { // it is swept some day
    }
}

std::uint64_t BlobFile::size() const
{
    return static_cast<std::uint64_t>(sys::stat(data_.get()).st_size);
}

bool BlobFile::has_digest() const
{
    store::ContentHasher hasher{digest_};
    std::array<char, 1U << 16U> buffer;
    for (off_t at = 0;;) {
        const auto size = sys::check([&] { return ::pread(data_.get(), buffer.data(), buffer.size(), at); },
                                     "reading a partial download");
        if (size == 0)
            return hasher.finish() == digest_;
        hasher.add({buffer.data(), static_cast<std::size_t>(size)});
        at += size;
    }
}

void BlobFile::clear()
{
    sys::check([&] { return ::ftruncate(data_.get(), 0); }, "emptying a partial download");
}

} // namespace rocket::oci

// SPDX-License-Identifier: Apache-2.0
#include "stage0/users/shared_images.hh"

#include <sys/stat.h>

#include "common/model/own_users.hh"
#include "common/sys/lock.hh"
#include "common/sys/mount.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/sys.hh"
#include "common/sys/with_hint.hh"
#include "stage0/store/foreign_use.hh"
#include "stage0/store/store.hh"

namespace rocket::users
{

namespace
{

namespace words = model::own_users;

model::Layout place_below(const std::string& data_dir)
{
    return model::Layout{data_dir + "/shared"};
}

} // namespace

SharedImages::SharedImages(std::shared_ptr<const Fd> host, const Fd& images, const std::string& data_dir)
    : host_{std::move(host)}, layout_{place_below(data_dir)}
{
    sys::make_dir_if_missing(AT_FDCWD, layout_.data(), 0700);
    sys::make_dir_if_missing(AT_FDCWD, layout_.cas(), 0700);
    const auto place = sys::open(AT_FDCWD, layout_.cas(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    with_hint(EPERM, "SystemCallFilter= of the unit, if it has one, has to allow @mount",
              [&] { mount::attach(images.get(), place.get()); });
}

void SharedImages::keep(const model::ImageId& id) const
{
    send_fds(host_->get(), words::use_request + id.str(), {});
    const auto answer = receive_fds(host_->get(), words::largest_answer);
    if (!answer || answer->text != words::granted)
        fail(Error::Kind::not_found, "the host does not keep image {}: {}", text::quoted(id.key()),
             answer ? text::printable(answer->text) : "it has not waited");
}

Fd open_shared_images(const model::Layout& layout, int users)
{
    const auto cas = sys::open(AT_FDCWD, layout.cas(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    auto tree = mount::clone(cas.get(), false);
    mount::set_propagation(tree.get(), MS_PRIVATE, false);
    mount::set_attributes(tree.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, false);
    mount::set_id_mapping(tree.get(), users, false, cas.get());
    return tree;
}

void record_use(const model::Layout& layout, uid_t uid, pid_t pid, const std::string& text)
{
    const auto id = model::ImageId::parse(text);
    const store::Store store{layout};
    // Whoever removes an image looks at its users with this lock held alone.
    auto file = sys::open(AT_FDCWD, layout.prepare_lock(), O_RDONLY | O_CREAT | O_NOFOLLOW, 0640);
    ::fchmod(file.get(), 0640); // whatever the umask
    const auto lock = Lock::take(std::move(file), Lock::Mode::shared);
    if (!store.has(id))
        fail(Error::Kind::not_found, "it is not in the store");
    if (const auto writer = store.other_writer(id))
        fail(Error::Kind::untrusted, "{} could have written it", *writer);
    store::record_foreign_use(uid, pid, id);
    store.mark_used(id);
}

} // namespace rocket::users

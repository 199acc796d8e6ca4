// SPDX-License-Identifier: Apache-2.0
// The images of the host's own store, for users with a namespace of their own (own_root.hh): what root has fetched and
// verified is used in place, neither copied nor fetched again. The host hands a read-only mount of the store over, in
// which root's files are those of the namespace's root, and the others of whom they are in a pod.
#pragma once

#include <memory>
#include <string>

#include "common/model/image_id.hh"
#include "common/model/layout.hh"
#include "common/sys/fd.hh"

namespace rocket::users
{

class SharedImages
{
public:
    // `host`: where become_own_root() came from. The mount is attached below `data_dir`, in our own mount namespace:
    // at the same place for each command, since pods name the trees they use.
    SharedImages(std::shared_ptr<const Fd> host, const Fd& images, const std::string& data_dir);

    const model::Layout& layout() const noexcept { return layout_; } // of images only
    // From here on the image stays where it is until this process, and the pod that it becomes, has ended. Fails if
    // the host has removed it meanwhile, or does not vouch for it, or has not waited so long.
    void keep(const model::ImageId& id) const;

private:
    std::shared_ptr<const Fd> host_;
    model::Layout layout_;
};

// --- what the host does (map_ids.cc), as root

// A detached mount of the store's images as they are seen in `users`. Kind::unsupported where the file system cannot.
Fd open_shared_images(const model::Layout& layout, int users);

// Process `pid` of user `uid` uses the image until it ends. Kind::not_found, Kind::untrusted.
void record_use(const model::Layout& layout, uid_t uid, pid_t pid, const std::string& id);

} // namespace rocket::users

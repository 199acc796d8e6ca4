// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/places.hh"
#include "stage0/store/directories.hh"

#include <unistd.h>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/store/hash.hh"

namespace rocket::image
{

namespace
{

// Root neither goes on with what somebody else has downloaded, nor believes what he remembers (stage0/store/writer.hh).
std::string parent_of_own(const model::Layout& layout)
{
    return ::geteuid() == 0 ? layout.cas() : layout.members();
}

} // namespace

std::string key_of(std::string_view what)
{
    store::Sha256Hasher hasher;
    hasher.add(what);
    return text::hex(hasher.finish()).substr(0, 32);
}

std::string partial_dir(const model::Layout& layout)
{
    return parent_of_own(layout) + "/partial";
}

std::string remote_dir(const model::Layout& layout)
{
    return parent_of_own(layout) + "/remote";
}

Fd open_own(int parent, const std::string& path)
{
    const bool made = sys::make_dir_if_missing(parent, path, 0700);
    auto dir = sys::open(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const mode_t mode = store::shared_mode(::geteuid() == 0 ? 02750 : 02770);
    if (made) // whatever the umask
        sys::check([&] { return ::fchmod(dir.get(), mode); }, "setting the mode of {}", text::quoted(path));
    return dir;
}

std::string lock_path(const model::Layout& layout, const std::string& key)
{
    // Root and members do not share what has come of a download, and need not wait for each other.
    return layout.locks() + (::geteuid() == 0 ? "/fetch-" : "/members-fetch-") + key;
}

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/places.hh"

#include <unistd.h>

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

std::string lock_path(const model::Layout& layout, const std::string& key)
{
    return layout.locks() + "/fetch-" + key;
}

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/places.hh"

#include "common/sys/text.hh"
#include "stage0/store/hash.hh"

namespace rocket::image
{

std::string key_of(std::string_view what)
{
    store::Sha256Hasher hasher;
    hasher.add(what);
    return text::hex(hasher.finish()).substr(0, 32);
}

std::string partial_dir(const model::Layout& layout)
{
    return layout.cas() + "/partial";
}

std::string remote_dir(const model::Layout& layout)
{
    return layout.cas() + "/remote";
}

std::string lock_path(const model::Layout& layout, const std::string& key)
{
    return layout.locks() + "/fetch-" + key;
}

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/set_ids.hh"

#include "common/sys/sys.hh"

namespace rocket::store
{

bool may_make_set_ids()
{
    static const bool may = [] {
        const auto file = sys::make_memfd("set-ids"); // of nobody else, and gone at once
        return ::fchmod(file.get(), S_ISUID) == 0;
    }();
    return may;
}

} // namespace rocket::store

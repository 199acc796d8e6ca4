// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/set_ids.hh"

#include <doctest/doctest.h>

#include <vector>

using namespace rocket;

namespace
{

// chmod(2) where RestrictSUIDSGID= is in force.
struct Restricted {
    std::vector<mode_t> asked = {};
    int error_number = EPERM;

    int operator()(mode_t mode)
    {
        asked.push_back(mode);
        errno = error_number;
        return (mode & store::set_ids) != 0 || error_number != EPERM ? -1 : 0;
    }
};

} // namespace

TEST_CASE("set-id bits are left out where they are forbidden, and only there")
{
    bool left_out = true;
    Restricted plain;
    CHECK(store::change_mode(plain, 01755, left_out) == 0);
    CHECK(plain.asked == std::vector<mode_t>{01755});
    CHECK_FALSE(left_out);

    Restricted set_id;
    CHECK(store::change_mode(set_id, 06755, left_out) == 0);
    CHECK(set_id.asked == std::vector<mode_t>{06755, 0755});
    CHECK(left_out);

    Restricted broken{.error_number = EROFS};
    CHECK(store::change_mode(broken, 04755, left_out) == -1);
    CHECK(errno == EROFS);
    CHECK_FALSE(left_out);
}

TEST_CASE("whoever is not restricted may make set-id bits")
{
    CHECK(store::may_make_set_ids());
}

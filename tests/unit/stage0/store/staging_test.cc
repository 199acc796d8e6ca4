// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/staging.hh"

#include <doctest/doctest.h>

#include "fake_store.hh"

using namespace rocket;
using namespace rocket::store;

TEST_CASE("what a killed command left is swept, what a living one uses is not")
{
    FakeStore fake;
    sys::make_dir(AT_FDCWD, fake.layout.store_tmp() + "/leftover", 0700);
    sys::make_dir(AT_FDCWD, fake.layout.store_tmp() + "/leftover/image", 0700);
    sys::make_dir(AT_FDCWD, fake.layout.garbage() + "/cas-leftover", 0700);
    sys::make_dir(AT_FDCWD, fake.layout.garbage() + "/somebody-else", 0700);
    {
        const Staging staging{fake.layout};
        sys::make_dir(staging.fd(), "image", 0700);
        sweep(fake.layout);
        CHECK(Scratch::names_in(fake.layout.store_tmp()).size() == 1);
        CHECK(sys::stat_if_exists(staging.fd(), "image"));
    }
    CHECK(Scratch::names_in(fake.layout.store_tmp()).empty());
    CHECK(Scratch::names_in(fake.layout.garbage()) == std::vector<std::string>{"somebody-else"});
}

TEST_CASE("discarding takes a thing out of sight in one step")
{
    FakeStore fake;
    const auto id = fake.add('a', "example.com/a");
    const auto images = sys::open(AT_FDCWD, fake.layout.images(), O_RDONLY | O_DIRECTORY);
    const auto garbage = discard(fake.layout, images.get(), id.key());
    CHECK(Scratch::names_in(fake.layout.images()).empty());
    CHECK(sys::stat_if_exists(AT_FDCWD, fake.layout.garbage() + "/" + garbage + "/archive"));
    delete_garbage(fake.layout, garbage);
    CHECK(Scratch::names_in(fake.layout.garbage()).empty());
    CHECK(discard(fake.layout, images.get(), id.key()).empty());
    delete_garbage(fake.layout, "");
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/remote_record.hh"

#include <doctest/doctest.h>

#include "../store/fake_store.hh"
#include "stage0/image/places.hh"

using namespace rocket;
using namespace rocket::image;

TEST_CASE("cli 4.5: max-age of Cache-Control")
{
    CHECK(max_age("") == 0);
    CHECK(max_age("max-age=60") == 60);
    CHECK(max_age("public, MAX-AGE=60 ,x") == 60);
    CHECK(max_age("max-age=60, no-cache") == 0);
    CHECK(max_age("no-store, max-age=60") == 60); // the last one wins
    CHECK(max_age("max-age=60, max-age=061, max-age=x, max-age=") == 60);
    CHECK(max_age("max-age=60, max-age=-1") == 0);
    CHECK(max_age("max-age=0") == 0);
    CHECK(max_age("max-age=18446744073709551615") == 365L * 24 * 3600);
}

TEST_CASE("a record is read back as it was written, and a broken one is none")
{
    FakeStore fake;
    const auto id = fake.add('a', "example.com/a");
    const RemoteRecord record{"https://example.com/a.aci", id, "\"v1\"", 5};
    CHECK_FALSE(read_remote(fake.layout, record.url));
    write_remote(fake.layout, record);
    CHECK(read_remote(fake.layout, record.url) == record);
    CHECK_FALSE(record.is_fresh());
    CHECK_FALSE(read_remote(fake.layout, "https://example.com/b.aci"));
    const auto path = remote_dir(fake.layout);
    const auto dir = sys::open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    CHECK((sys::stat(dir.get()).st_mode & 07777U) == (::geteuid() == 0 ? 02750U : 02770U));
    for (const auto& name : file::list(dir.get(), "."))
        file::write_atomic(dir.get(), name, R"({"url": "https://example.com/a.aci"})");
    CHECK_FALSE(read_remote(fake.layout, record.url));
}

TEST_CASE("a time far ahead is a clock that was wrong")
{
    FakeStore fake;
    RemoteRecord record{"https://x/a.aci", fake.add('a', "example.com/a")};
    record.expires_ns = sys::realtime_nsec() + 1'000'000'000'000;
    CHECK(record.is_fresh());
    record.expires_ns = INT64_MAX;
    CHECK_FALSE(record.is_fresh());
}

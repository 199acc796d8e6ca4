// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/catalog.hh"

#include <doctest/doctest.h>

#include "fake_store.hh"
#include "stage0/store/index.hh"

using namespace rocket;
using namespace rocket::store;

namespace
{

std::string names(const model::Layout& layout)
{
    std::string names;
    for (const auto& entry : read_catalog(layout))
        names += entry.name.str() + " ";
    return names;
}

std::size_t rows(const model::Layout& layout)
{
    return Index{layout.database(), Index::Access::read}.load().size();
}

} // namespace

TEST_CASE("the catalog is what the directory says, and the index follows")
{
    FakeStore fake;
    CHECK(names(fake.layout).empty());
    const auto a = fake.add('a', "example.com/a");
    fake.add('b', "example.com/b");
    CHECK(names(fake.layout) == "example.com/a example.com/b "); // as after a crash between rename and insert
    CHECK(rows(fake.layout) == 2);
    CHECK(names(fake.layout) == "example.com/a example.com/b ");

    remove_tree(AT_FDCWD, fake.layout.image(a));
    CHECK(names(fake.layout) == "example.com/b ");
    CHECK(rows(fake.layout) == 1);
}

TEST_CASE("entries come out of the index as they went in")
{
    FakeStore fake;
    fake.add('a', "example.com/a", "1, 2=x", 42, false);
    const auto from_files = read_catalog(fake.layout);
    const auto from_index = read_catalog(fake.layout);
    CHECK(rows(fake.layout) == 1);
    CHECK(from_files == from_index);
    REQUIRE(from_index.size() == 1);
    CHECK(from_index.front().imported_ns == 42);
    CHECK_FALSE(from_index.front().verified);
    CHECK(from_index.front().id.is_full());
}

TEST_CASE("a record that was replaced is read again")
{
    FakeStore fake;
    const auto id = fake.add('a', "example.com/a", "1", 1, false);
    CHECK_FALSE(read_catalog(fake.layout).front().verified);
    auto record = Store{fake.layout}.record(id);
    record.fingerprint = std::string(40, 'f');
    const auto dir = sys::open(AT_FDCWD, fake.layout.image(id), O_RDONLY | O_DIRECTORY);
    file::write_atomic(dir.get(), "record.json", record.write());
    CHECK(read_catalog(fake.layout).front().verified);
}

TEST_CASE("an index that is corrupt, of another version or not there costs nothing but time")
{
    FakeStore fake;
    fake.add('a', "example.com/a");
    const auto database = fake.layout.database();
    const auto dir = sys::open(AT_FDCWD, fake.layout.database_dir(), O_RDONLY | O_DIRECTORY);
    const auto spoil = [&](auto how) {
        Index::erase(database);
        how();
        CHECK(names(fake.layout) == "example.com/a ");
        CHECK(rows(fake.layout) == 1);
        CHECK(names(fake.layout) == "example.com/a ");
    };
    spoil([] {});
    spoil([&] { file::write_new(dir.get(), "index.sqlite", ""); });
    spoil([&] { file::write_new(dir.get(), "index.sqlite", "this is no database, nor will it ever be one"); });
    spoil([&] {
        file::write_new(dir.get(), "index.sqlite", std::string("SQLite format 3\0", 16) + std::string(9000, 'x'));
    });
    spoil([&] {
        read_catalog(fake.layout);
        auto content = file::read(dir.get(), "index.sqlite");
        content[63] = 9; // the schema's version, at offset 60, big endian
        Index::erase(database);
        file::write_new(dir.get(), "index.sqlite", content);
    });
    remove_tree(AT_FDCWD, fake.layout.database_dir());
    CHECK(names(fake.layout) == "example.com/a ");
}

TEST_CASE("an image that lacks a file, or has a broken one, counts as absent")
{
    for (const char* name : {"archive", "manifest", "record.json"}) {
        CAPTURE(name);
        FakeStore fake;
        const auto id = fake.add('a', "example.com/a");
        const auto dir = sys::open(AT_FDCWD, fake.layout.image(id), O_RDONLY | O_DIRECTORY);
        CHECK(read_entry(fake.layout, id));
        CHECK(names(fake.layout) == "example.com/a ");
        file::write_atomic(dir.get(), name, "short");
        CHECK_FALSE(read_entry(fake.layout, id));
        CHECK(names(fake.layout).empty());
        sys::unlink(dir.get(), name);
        CHECK_FALSE(read_entry(fake.layout, id));
        CHECK(names(fake.layout).empty());
    }
}

TEST_CASE("what is not ours in the directory is left alone")
{
    FakeStore fake;
    fake.add('a', "example.com/a");
    sys::make_dir(AT_FDCWD, fake.layout.images() + "/lost+found", 0700);
    CHECK(names(fake.layout) == "example.com/a ");
    CHECK(names(model::Layout{fake.scratch.path() + "/nowhere"}).empty());
}

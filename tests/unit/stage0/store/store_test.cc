// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/store.hh"

#include <doctest/doctest.h>

#include "common/model/runtime.hh"
#include "fake_store.hh"

using namespace rocket;
using namespace rocket::store;

namespace
{

Error::Kind kind_of(const std::function<void()>& act)
{
    try {
        act();
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("nothing was thrown");
    return Error::Kind::system;
}

// A pod directory that says it uses the image.
void add_pod(const FakeStore& fake, model::PodStage stage, const model::ImageId& id)
{
    const auto pod = model::PodId::parse("6733c088-a507-4694-aabf-edbe4fc5266f");
    sys::make_dirs(fake.layout.pod(stage, pod), 0700);
    const auto dir = sys::open(AT_FDCWD, fake.layout.pod(stage, pod), O_RDONLY | O_DIRECTORY);
    const model::Runtime runtime{.stage1_rootfs = "/s1",
                                 .apps = {{.name = model::AppName::parse("a"), .image = id, .trees = {"/t"}}}};
    file::write_new(dir.get(), "runtime.json", runtime.write());
}

} // namespace

TEST_CASE("cli 4.1: an image is found by a prefix of its id, if only one has it")
{
    FakeStore fake;
    const Store store{fake.layout};
    const auto a = fake.add('a', "example.com/a");
    fake.add('b', "example.com/b");
    const auto find = [&](const std::string& prefix) { return store.find(model::ImageIdPrefix::parse(prefix)); };
    CHECK(find("sha512-aa") == a);
    CHECK(find(a.digest()) == a);
    CHECK(kind_of([&] { find("sha512-cc"); }) == Error::Kind::not_found);
    sys::rename(AT_FDCWD, fake.layout.image(fake.add('c', "example.com/c")), AT_FDCWD,
                fake.layout.images() + "/sha512-bb" + std::string(62, 'c')); // is not what its name says: absent
    CHECK(find("sha512-bb").shortened(2) == "sha512-bb");
}

TEST_CASE("a prefix of several ids is refused")
{
    FakeStore fake;
    const Store store{fake.layout};
    fake.add('a', "example.com/a");
    const auto other = model::ImageId::parse("sha512-aa" + std::string(126, '1'));
    const auto first = fake.add('1', "example.com/b");
    auto record = store.record(first);
    record.id = other;
    sys::rename(AT_FDCWD, fake.layout.image(first), AT_FDCWD, fake.layout.image(other));
    const auto dir = sys::open(AT_FDCWD, fake.layout.image(other), O_RDONLY | O_DIRECTORY);
    file::write_atomic(dir.get(), "record.json", record.write());
    CHECK(store.list().size() == 2);
    CHECK(kind_of([&] { store.find(model::ImageIdPrefix::parse("sha512-aa")); }) == Error::Kind::usage);
    CHECK(store.find(model::ImageIdPrefix::parse("sha512-aa1")) == other);
}

TEST_CASE("cli 4.1: by name and labels, the most recently imported one first")
{
    FakeStore fake;
    const Store store{fake.layout};
    const auto old = fake.add('a', "example.com/a", "1", 100);
    const auto recent = fake.add('b', "example.com/a", "2", 300);
    fake.add('c', "example.com/ab", "1", 400);
    const auto find = [&](const char* name) { return store.find(model::ImageName::parse(name)); };
    REQUIRE(find("example.com/a").size() == 2);
    CHECK(find("example.com/a").front().id == recent);
    REQUIRE(find("example.com/a:1").size() == 1);
    CHECK(find("example.com/a:1").front().id == old);
    CHECK(find("example.com/a:3").empty());
    CHECK(find("example.com/a,color=red").empty());
}

TEST_CASE("an image goes with one rename, unless a pod needs it")
{
    FakeStore fake;
    Store store{fake.layout};
    const auto id = fake.add('a', "example.com/a");
    const auto other = fake.add('b', "example.com/b");
    add_pod(fake, model::PodStage::prepared, id);
    CHECK(kind_of([&] { store.remove(id); }) == Error::Kind::busy);
    CHECK(store.remove(other));
    CHECK_FALSE(store.remove(other));
    remove_tree(AT_FDCWD, fake.layout.pods());
    add_pod(fake, model::PodStage::run, id); // not locked: it has ended
    CHECK(store.remove(id));
    CHECK(store.list().empty());
    CHECK(Scratch::names_in(fake.layout.garbage()).empty());
}

TEST_CASE("a tree whose image is gone is swept")
{
    FakeStore fake;
    if (::geteuid() != 0) // trees are root's
        return;
    const auto id = fake.add('a', "example.com/a");
    const auto gone = model::ImageId::parse("sha512-" + std::string(64, 'd'));
    for (const auto& tree : {fake.layout.tree(id), fake.layout.tree(gone)})
        sys::make_dirs(tree + "/rootfs", 0700);
    Store{fake.layout}.tidy();
    CHECK(Scratch::names_in(fake.layout.trees()) == std::vector<std::string>{id.key()});
}

TEST_CASE("records come back as they were written")
{
    FakeStore fake;
    const auto id = fake.add('a', "example.com/a");
    auto record = Store{fake.layout}.record(id);
    record.insecure = {"image"};
    record.fingerprint.reset();
    record.source_stamp = "1:2:3";
    CHECK(Record::parse(record.write()) == record);
    for (const char* bad : {"", "{}", "[]", R"({"id": 1})"})
        CHECK_THROWS_AS(Record::parse(bad), Error);
    auto text = record.write();
    text.replace(text.find(std::string(64, '0')), 1, "X");
    CHECK_THROWS_AS(Record::parse(text), Error);
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/dependencies.hh"

#include <doctest/doctest.h>

#include "tests/unit/stage0/store/fake_store.hh"

using namespace rocket;
using image::Dependencies;

namespace
{

model::ImageManifest manifest_of(const std::string& name, const std::string& dependencies,
                                 const std::string& arch = "amd64")
{
    return model::ImageManifest::parse(
        fmt::format(R"({{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{}","dependencies":[{}],)"
                    R"("labels":[{{"name":"os","value":"linux"}},{{"name":"arch","value":"{}"}}]}})",
                    name, dependencies, arch));
}

model::ImageId id_of(char digit)
{
    return model::ImageId::parse("sha512-" + std::string(128, digit));
}

std::string error_of(const auto& act)
{
    try {
        act();
    } catch (const Error& error) {
        return error.innermost();
    }
    return "no error";
}

} // namespace

TEST_CASE("dependencies: the newest import that is verified, in the order of the manifest")
{
    FakeStore fake;
    store::Store store{fake.layout};
    const auto old = fake.add('1', "example.com/b", "1", 10);
    const auto unverified = fake.add('2', "example.com/b", "2", 20, false);
    const auto other = fake.add('3', "example.com/c", "1", 5);
    const auto manifest =
        manifest_of("example.com/a",
                    R"({"imageName":"example.com/c"},{"imageName":"example.com/b"},{"imageName":"example.com/c"})");
    CHECK(Dependencies{store, true}.resolve(id_of('a'), manifest) == std::vector{other, old, other});
    CHECK(Dependencies{store, false}.resolve(id_of('a'), manifest) == std::vector{other, unverified, other});
}

TEST_CASE("dependencies: what the store does not have is fetched")
{
    FakeStore fake;
    store::Store store{fake.layout};
    std::vector<std::string> asked;
    const Dependencies::Fetch fetch = [&](const model::ImageName& name, std::uint64_t size) {
        asked.push_back(fmt::format("{} {}", name.str(), size));
        return fake.add(static_cast<char>('0' + asked.size()), name.name.str(), "1", 10);
    };
    Dependencies dependencies{store, true};
    dependencies.use(Dependencies::First::store, fetch);
    const auto manifest = manifest_of("example.com/a", R"({"imageName":"example.com/b","size":3})", "ppc64le");
    const auto id = dependencies.resolve(id_of('a'), manifest).at(0);
    CHECK(asked == std::vector<std::string>{"example.com/b,arch=ppc64le 3"}); // this is no such host
    CHECK(dependencies.resolve(id_of('c'), manifest).at(0) == id);
    CHECK(asked.size() == 1);
    dependencies.use(Dependencies::First::fetch, fetch);
    CHECK(dependencies.resolve(id_of('d'), manifest).at(0) != id);
    CHECK(asked.size() == 2);
    const auto too_small = manifest_of("example.com/a", R"({"imageName":"example.com/b","size":2})");
    CHECK(error_of([&] { dependencies.resolve(id_of('e'), too_small); }).find("3 bytes and not 2") !=
          std::string::npos);
    dependencies.use(Dependencies::First::store, {});
    const auto missing = manifest_of("example.com/a", R"({"imageName":"example.com/none"})");
    CHECK(error_of([&] { dependencies.resolve(id_of('e'), missing); }) ==
          R"(an image is needed that is not in the local store: "example.com/a" -> "example.com/none")");
}

TEST_CASE("dependencies: a cycle ends, also among images that are still being fetched") // DEP-10
{
    FakeStore fake;
    store::Store store{fake.layout};
    const auto a = manifest_of("example.com/a", R"({"imageName":"example.com/b"})");
    const auto b = manifest_of("example.com/b", R"({"imageName":"example.com/a"})");
    Dependencies dependencies{store, true};
    dependencies.use(Dependencies::First::store, [&](const model::ImageName& name, std::uint64_t) {
        const bool is_a = name.name.str() == "example.com/a";
        dependencies.resolve(id_of(is_a ? 'a' : 'b'), is_a ? a : b);
        return id_of('0');
    });
    const auto* cycle = R"(an image depends on itself: "example.com/a" -> "example.com/b" -> "example.com/a")";
    CHECK(error_of([&] { dependencies.resolve(id_of('a'), a); }) == cycle);
    CHECK(error_of([&] { dependencies.resolve(id_of('a'), a); }) == cycle); // nothing is left of the first attempt

    // Ever new images: only the depth ends it.
    std::size_t count = 0;
    dependencies.use(Dependencies::First::store, [&](const model::ImageName&, std::uint64_t) {
        const auto digits = fmt::format("{:064}", ++count);
        dependencies.resolve(model::ImageId::parse("sha512-" + digits + digits), a);
        return id_of('0');
    });
    CHECK(error_of([&] { dependencies.resolve(id_of('a'), a); }).find("more than 32 levels deep") != std::string::npos);
}

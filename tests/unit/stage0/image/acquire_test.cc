// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/acquire.hh"

#include <doctest/doctest.h>

#include "../store/fake_store.hh"
#include "common/model/platform.hh"

using namespace rocket;
using namespace rocket::image;

namespace
{

// Stands for a keystore: is asked for files only, which these tests never get to.
struct NeverAsked : Verifier {
    bool is_trusted(const model::AcIdentifier&, const std::string&) override { return trusts; }
    bool trusts = true;
    void check_issuer(const model::AcIdentifier&, int) override { FAIL("asked for a signature"); }
    image::Opened open(const model::AcIdentifier&, const std::string&) override
    {
        throw Error{Error::Kind::untrusted, "no"};
    }
    image::Opened open_by(const std::vector<std::string>&, const model::AcIdentifier&, const std::string&) override
    {
        throw Error{Error::Kind::untrusted, "no"};
    }
    Verified verify(const model::AcIdentifier&, int, int) override
    {
        FAIL("asked for a signature");
        return {};
    }
};

std::string outcome(store::Store& store, Verifier* verifier, const Request& request)
{
    try {
        Network network{{}};
        return Acquirer{store, verifier, network}.acquire(request).shortened(2);
    } catch (const Error& error) {
        switch (error.kind()) {
        case Error::Kind::untrusted:
            return "untrusted";
        case Error::Kind::not_found:
            return "not found";
        case Error::Kind::unsupported:
            return "unsupported";
        case Error::Kind::usage:
            return "usage";
        default:
            return error.what();
        }
    }
}

} // namespace

TEST_CASE("R11: what came in unchecked satisfies only those who do not check")
{
    FakeStore fake;
    store::Store store{fake.layout};
    NeverAsked verifier;
    fake.add('a', "example.com/a", "1", 100, true);
    fake.add('b', "example.com/a", "2", 200, false);
    CHECK(outcome(store, &verifier, {.image = "sha512-aa"}) == "sha512-aa");
    CHECK(outcome(store, &verifier, {.image = "sha512-bb"}) == "untrusted");
    CHECK(outcome(store, nullptr, {.image = "sha512-bb"}) == "sha512-bb");
    CHECK(outcome(store, &verifier, {.image = "example.com/a"}) == "sha512-aa");
    CHECK(outcome(store, nullptr, {.image = "example.com/a"}) == "sha512-bb");
    CHECK(outcome(store, &verifier, {.image = "example.com/a:2"}) == "untrusted");
    CHECK(outcome(store, &verifier, {.image = "example.com/none", .policy = PullPolicy::never}) == "not found");
}

TEST_CASE("R11: a key that is not trusted any more lets nothing in, by name or by id")
{
    FakeStore fake;
    store::Store store{fake.layout};
    NeverAsked verifier;
    fake.add('a', "example.com/a");
    verifier.trusts = false;
    CHECK(outcome(store, &verifier, {.image = "sha512-aa"}) == "untrusted");
    CHECK(outcome(store, &verifier, {.image = "example.com/a"}) == "untrusted");
    CHECK(outcome(store, nullptr, {.image = "sha512-aa"}) == "sha512-aa");
}

TEST_CASE("an image of another architecture is not what a name means")
{
    FakeStore fake;
    store::Store store{fake.layout};
    fake.add('a', "example.com/a"); // says nothing of os and arch
    CHECK(outcome(store, nullptr, {.image = "example.com/a"}) == "sha512-aa");
    CHECK(outcome(store, nullptr,
                  {.image = "example.com/a,arch=" + model::host_platform().arch, .policy = PullPolicy::never}) ==
          "not found");
}

TEST_CASE("what this build cannot fetch, and what makes no sense, is refused")
{
    FakeStore fake;
    store::Store store{fake.layout};
    NeverAsked verifier;
    CHECK(outcome(store, &verifier, {.image = "https://example.com/a.tar"}) == "usage");
    CHECK(outcome(store, &verifier, {.image = "https://u:p@example.com/a.aci"}) == "usage");
    CHECK(outcome(store, &verifier, {.image = "https://example.com/a.aci", .policy = PullPolicy::never}) ==
          "not found");
    CHECK(outcome(store, &verifier, {.image = "docker://busybox"}) == "untrusted");
    CHECK(outcome(store, &verifier, {.image = "docker://busybox", .policy = PullPolicy::never}) == "not found");
    CHECK(outcome(store, &verifier, {.image = "example.com/a", .signature = "/nonexistent.asc"}) == "not found");
    CHECK(outcome(store, nullptr, {.image = "/tmp/a.aci", .signature = "x.asc"}) == "usage");
    CHECK(outcome(store, nullptr, {.image = "/nonexistent/a.aci"}) == "not found");
    CHECK(outcome(store, nullptr, {.image = "/dev/null"}) == "usage");
    CHECK(parse_pull_policy("new") == PullPolicy::fresh);
    for (const char* bad : {"", "New", "always"})
        CHECK_THROWS_AS(parse_pull_policy(bad), Error);
}

TEST_CASE("an image without a signature is not even read")
{
    FakeStore fake;
    store::Store store{fake.layout};
    NeverAsked verifier;
    file::write_new(fake.scratch.fd(), "a.aci", "no image at all");
    CHECK(outcome(store, &verifier, {.image = fake.scratch.path() + "/a.aci"}) == "untrusted");
    CHECK(outcome(store, &verifier, {.image = fake.scratch.path() + "/a.aci", .signature = "/dev/zero"}) ==
          "untrusted");
}

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>
#include <numeric>

#include "common/sys/error.hh"
#include "common/sys/file.hh"
#include "stage0/metadata/keys.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using metadata::Keys;

namespace
{

const auto pod = model::PodId::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
const auto other = model::PodId::parse("6ba7b811-9dad-11d1-80b4-00c04fd430c8");

} // namespace

TEST_CASE("signatures: HMAC-SHA-512 over UUID and content, in base64 (MDS-13, MDS-17)")
{
    std::array<std::uint8_t, Keys::size> bytes{};
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    const Keys keys{bytes};
    // Computed by Python's hmac.
    CHECK(keys.sign(pod, "content") ==
          "JSaC6T0YgUX12ds9LEdpAOF8QEsfL7iC8YHxQAl1cILn7CY9GSD2WvTC1JTMMFuNYipnWOaBZ2jcCg9s727UJw==");
    CHECK(keys.token(pod) == "a6391ee15bb307fdbdf5c2c12dcdd2c0");
    CHECK(keys.verify(pod, "content", keys.sign(pod, "content")));
    CHECK_FALSE(keys.verify(other, "content", keys.sign(pod, "content")));
    CHECK_FALSE(keys.verify(pod, "Content", keys.sign(pod, "content")));
    CHECK_FALSE(keys.verify(pod, "content", ""));
}

TEST_CASE("the key is made once, and nobody else's to read")
{
    const Scratch scratch;
    const auto directory = scratch.path() + "/state";
    const auto first = Keys::load_or_make(directory);
    CHECK(Keys::load_or_make(directory).token(pod) == first.token(pod));
    CHECK((std::filesystem::status(directory + "/key").permissions() & std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    file::write_atomic(scratch.fd(), "key", "short");
    CHECK_THROWS_AS(Keys::load_or_make(scratch.path()), Error);
}

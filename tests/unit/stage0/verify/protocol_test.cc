// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/protocol.hh"

#include <doctest/doctest.h>

using namespace rocket;
using verify::Request;
using verify::Verdict;

namespace
{

const std::string a(40, 'a');

verify::Checked sample()
{
    return {{{Verdict::good, a, "fine", {"Alice <a@example.com>", ""}}, {Verdict::unknown_key, "0123abcd", "", {}}},
            {{a, "broken"}}};
}

} // namespace

TEST_CASE("protocol: what is sent arrives")
{
    const auto request = verify::decode_request(
        encode(Request{Request::Task::check_signature, {{a, std::string("k\0ey", 4)}}, "signature"}));
    CHECK(request.task == Request::Task::check_signature);
    REQUIRE(request.keys.size() == 1);
    CHECK(request.keys[0].fingerprint == a);
    CHECK(request.keys[0].file == std::string("k\0ey", 4));
    CHECK(request.file == "signature");

    const auto checked = verify::decode_checked(encode(sample()));
    REQUIRE(checked.signatures.size() == 2);
    CHECK(checked.signatures[0].verdict == Verdict::good);
    CHECK(checked.signatures[0].identities == std::vector<std::string>{"Alice <a@example.com>", ""});
    CHECK(checked.signatures[1].key == "0123abcd");
    REQUIRE(checked.unusable_keys.size() == 1);
    CHECK(checked.unusable_keys[0].reason == "broken");

    const auto keys = verify::decode_keys(encode(std::vector<verify::ListedKey>{{a, {a}, {"id"}, "expired", "text"}}));
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].subkeys == std::vector<std::string>{a});
    CHECK(keys[0].warning == "expired");
}

TEST_CASE("protocol: the worker's error is thrown here")
{
    const auto answer = verify::encode(Error{Error::Kind::corrupt, "it is empty", "hint"});
    try {
        verify::decode_checked(answer);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.innermost() == "it is empty");
        CHECK(error.hint() == "hint");
    }
}

TEST_CASE("protocol: a worker that was taken over is not believed (R1)")
{
    const auto good = encode(sample());
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK_THROWS_AS(verify::decode_checked(good.substr(0, size)), Error);
    CHECK_THROWS_AS(verify::decode_checked(good + "x"), Error);
    CHECK_THROWS_AS(verify::decode_keys(good), Error); // an answer to another question
    auto verdict = good;
    verdict[8] = 99;
    CHECK_THROWS_AS(verify::decode_checked(verdict), Error);
    auto count = good;
    count[5] = '\x7F';
    CHECK_THROWS_AS(verify::decode_checked(count), Error);
    auto bad_key = sample();
    bad_key.signatures[0].key = "../../etc/passwd";
    CHECK_THROWS_AS(verify::decode_checked(encode(bad_key)), Error);
    CHECK_THROWS_AS(verify::decode_keys(encode(std::vector<verify::ListedKey>{{"short", {}, {}, "", ""}})), Error);
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/protocol.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::fetch;

TEST_CASE("messages survive the way there and back")
{
    const Start start{.id = 7,
                      .method = "GET",
                      .url = "https://example.com/",
                      .headers = {{"A", "b"}, {"C", ""}},
                      .body = "x",
                      .connect_seconds = 1,
                      .idle_seconds = 2,
                      .total_seconds = 3,
                      .verify_tls = false};
    const auto again = std::get<Start>(decode_to_worker(encode(ToWorker{start})));
    CHECK(again.id == 7);
    CHECK(again.url == start.url);
    CHECK(again.headers == start.headers);
    CHECK_FALSE(again.verify_tls);
    const auto decision =
        std::get<Decision>(decode_to_worker(encode(ToWorker{Decision{8, Decision::Body::tags, 9, 10}})));
    CHECK(decision.offset == 9);
    CHECK(decision.body == Decision::Body::tags);
    const auto head = std::get<Head>(decode_to_broker(encode(ToBroker{Head{1, 404, {{"etag", "\"x\""}}}})));
    CHECK(head.headers.front().value == "\"x\"");
    const auto done = std::get<Done>(decode_to_broker(encode(ToBroker{Done{1, 2, {{"ac-discovery", "a b"}}}})));
    CHECK(done.tags == std::vector<Tag>{{"ac-discovery", "a b"}});
    const auto failed = std::get<Failed>(decode_to_broker(encode(ToBroker{Failed{1, Failure::tls, 3, "why"}})));
    CHECK(failed.text == "why");
}

TEST_CASE("R1: nothing shorter, longer or out of range is taken")
{
    const auto whole = encode(ToBroker{Done{1, 2, {{"ac-discovery", "a b"}}}});
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_THROWS_AS(decode_to_broker(whole.substr(0, size)), Error);
    CHECK_THROWS_AS(decode_to_broker(whole + "x"), Error);
    CHECK_THROWS_AS(decode_to_broker(encode(ToBroker{Head{1, 1000, {}}})), Error);
    CHECK_THROWS_AS(decode_to_broker(encode(ToBroker{Head{1, 200, Headers(257)}})), Error);
    CHECK_THROWS_AS(decode_to_broker(encode(ToBroker{Done{1, UINT64_MAX, {}}})), Error);
    CHECK_THROWS_AS(decode_to_broker(encode(ToBroker{Failed{1, static_cast<Failure>(99), 0, ""}})), Error);
    CHECK_THROWS_AS(decode_to_broker(std::string(8, '\xFF')), Error);
}

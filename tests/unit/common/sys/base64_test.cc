// SPDX-License-Identifier: Apache-2.0
#include "common/sys/base64.hh"

#include <doctest/doctest.h>

using namespace rocket;

TEST_CASE("base64: the test vectors of RFC 4648, chapter 10, there and back")
{
    const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& one : vectors) {
        CAPTURE(one.first);
        CHECK(text::encode_base64(one.first) == one.second);
        CHECK(text::decode_base64(one.second) == one.first);
    }
    std::string all(256, '\0');
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<char>(i);
    CHECK(text::decode_base64(text::encode_base64(all)) == all);
    CHECK(text::encode_base64("\xfb\xff") == "+/8=");
}

TEST_CASE("base64: what is none")
{
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "=", "====", "Zg==Zg==", "Z===", "Zm9v\n", "Zm-_", "Zm 9"})
        CHECK_MESSAGE(!text::decode_base64(text), text);
}

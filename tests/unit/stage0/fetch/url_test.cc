// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/url.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using fetch::Url;

namespace
{

std::string parsed(const char* text)
{
    try {
        return Url::parse(text).str();
    } catch (const Error&) {
        return "refused";
    }
}

std::string resolved(const char* base, const char* reference)
{
    try {
        return Url::parse(base).resolve(reference).str();
    } catch (const Error&) {
        return "refused";
    }
}

} // namespace

TEST_CASE("URLs that can be fetched")
{
    CHECK(parsed("https://example.com") == "https://example.com/");
    CHECK(parsed("HTTPS://Example.COM:8443/A?b#c") == "https://example.com:8443/A?b");
    CHECK(parsed("http://[::1]:80/") == "http://[::1]:80/");
    CHECK(parsed("https://example.com?q=1") == "https://example.com/?q=1");
    CHECK(Url::parse("https://a:8443/x?y").host() == "a");
    CHECK(Url::parse("https://a:8443/x?y").port() == "8443");
    CHECK(Url::parse("https://a/x?y").port() == "443");
    CHECK(Url::parse("http://[::1]/x").port() == "80");
    CHECK(Url::parse("https://a/x/y?z/").path() == "/x/y");
    CHECK(Url::parse("https://a/").same_origin(Url::parse("https://A:443/b")));
    CHECK_FALSE(Url::parse("https://a/").same_origin(Url::parse("http://a:443/")));
}

TEST_CASE("and those that cannot")
{
    for (const char* bad :
         {"", "example.com/a", "ftp://a/", "file:///etc/passwd", "https://", "https:///a", "https://a b/",
          "https://a/\n", "https://u@a/", "https://u:p@a/", "https://a:/", "https://a:0/", "https://a:65536/",
          "https://a:1x/", "https://[::1/", "https://[::1]x/", "https://a\\b/", "https://a%2fb/", "https://h\xC3\xA9/"})
        CHECK_MESSAGE(parsed(bad) == "refused", bad);
}

TEST_CASE("what a redirect means (RFC 3986, 5.2)")
{
    constexpr const char* base = "https://a/b/c?q";
    CHECK(resolved(base, "d") == "https://a/b/d");
    CHECK(resolved(base, "/d/./e/../f?x/../y") == "https://a/d/f?x/../y");
    CHECK(resolved(base, "../../../d") == "https://a/d");
    CHECK(resolved(base, "..") == "https://a/");
    CHECK(resolved(base, "?r") == "https://a/b/c?r");
    CHECK(resolved(base, "//e:1/f") == "https://e:1/f");
    CHECK(resolved(base, "http://e/f") == "http://e/f");
    CHECK(resolved(base, "#f") == "https://a/b/c?q");
    CHECK(resolved(base, "file:///etc/passwd") == "refused");
    CHECK(resolved(base, "javascript:x") == "refused");
    CHECK(resolved(base, "d\r\nX: y") == "refused");
}

TEST_CASE("messages do not repeat passwords")
{
    using fetch::without_password;
    CHECK(without_password("https://u:p@example.com/a.aci") == "https://u:***@example.com/a.aci");
    CHECK(without_password("https://u:p@q@example.com") == "https://u:***@example.com");
    CHECK(without_password("docker://u:p@example.com:1/a:b@sha256:1") == "docker://u:***@example.com:1/a:b@sha256:1");
    for (const char* plain :
         {"docker://a:b@sha256:1", "docker://h:1/a@sha256:1", "https://h:1/a@b", "https://u@h/a", "a:b@c", ""})
        CHECK(without_password(plain) == plain);
    try {
        fetch::Url::parse("https://u:secret@example.com/a.aci");
    } catch (const Error& error) {
        CHECK(std::string_view{error.what()}.find("secret") == std::string_view::npos);
    }
}

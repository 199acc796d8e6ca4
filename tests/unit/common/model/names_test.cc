// SPDX-License-Identifier: Apache-2.0
#include "common/model/names.hh"

#include <doctest/doctest.h>

#include <set>
#include <unordered_set>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::model;

TEST_CASE("identifiers: the grammar, and the one pair it allows (TYP-1..3)")
{
    for (const char* good : {"asdf", "foo-bar-baz", "zab_rab_oof", "my~database", "example.com/database",
                             "example.com/ourapp-1.0.0", "sub-domain.example.com/org/product/release-1.0.0",
                             "example.com/~bob/database", "example.com/~user/app_v1"}) {
        CAPTURE(good);
        CHECK(AcIdentifier::parse(good).str() == good);
    }
    for (const char* bad : {"",     "BAR",  "foo#", "EXAMPLE.com", "foo.com/BAR", "/app", "app/", "-app",
                            "app-", ".app", "app.", "_app",        "app_",        "~app", "app~", "a--b",
                            "a//b", "a._b", "a~/b", "a/~~b",       "a/~/b",       "/~a",  "a b",  "\xc3\xa4"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(AcIdentifier::parse(bad), Error);
    }
}

TEST_CASE("identifiers: the error tells the fault (TYP-2)")
{
    const auto fault = [](const char* text) {
        try {
            AcIdentifier::parse(text);
        } catch (const Error& error) {
            CHECK(error.kind() == Error::Kind::usage);
            return error.innermost();
        }
        return std::string{};
    };
    CHECK(fault("") == "a name cannot be empty");
    CHECK(fault("-BAR") == "\"-BAR\" is not a valid name: only a-z, 0-9 and -._~/ are allowed");
    CHECK(fault("-app") == "\"-app\" is not a valid name: it must begin and end with a letter or digit");
    CHECK(fault("a--b") == "\"a--b\" is not a valid name: it has two separators in a row");
}

TEST_CASE("names: the hint is a name that would do")
{
    try {
        AppName::parse("My_App");
        FAIL("accepted");
    } catch (const Error& error) {
        CHECK(error.hint() == "a valid name would be my-app");
    }
    CHECK_THROWS_AS(AppName::parse("__"), Error); // nothing to suggest
}

TEST_CASE("names: the grammar (TYP-6)")
{
    for (const char* good : {"a", "0", "foo-bar-baz", "asdf"})
        CHECK(AppName::parse(good).str() == good);
    for (const char* bad : {"", "foo#", "example.com", "EXAMPLE", "example/database", "example.com/app_1", "-app",
                            "app-", ".app", "a_b", "a--b", "..", "a%i", "a b", "a\n"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(AppName::parse(bad), Error);
    }
}

TEST_CASE("identifiers: sanitising (TYP-4)")
{
    const std::pair<const char*, const char*> cases[] = {{"foo#", "foo"},
                                                         {"EXAMPLE.com", "example.com"},
                                                         {"foo.com/BAR", "foo.com/bar"},
                                                         {"app///", "app"},
                                                         {"-/.app..", "app"},
                                                         {"-/app.name-test/-/", "app.name-test"},
                                                         {"a/~b", "a/~b"},
                                                         {"a//~b", "a/b"},
                                                         {"a#b", "a_b"}};
    for (const auto& row : cases) {
        const auto* raw = row.first;
        const auto* clean = row.second;
        CAPTURE(raw);
        CHECK(AcIdentifier::sanitized(raw).str() == clean);
        CHECK(AcIdentifier::parse(clean).str() == clean);
    }
    for (const char* nothing : {"__", "..", "//", ".//-", ""})
        CHECK_THROWS_AS(AcIdentifier::sanitized(nothing), Error);
}

TEST_CASE("names: sanitising, and the default name of an app (TYP-7, TYP-8)")
{
    const std::pair<const char*, const char*> cases[] = {
        {"EXAMPLE.com", "example-com"},
        {"example.com/app_1", "example-com-app-1"},
        {"app///", "app"},
        {"-/app.name-test/-/", "app-name-test"},
        {"sub-domain.example.com/org/product/release-1.0.0", "sub-domain-example-com-org-product-release-1-0-0"}};
    for (const auto& row : cases) {
        const auto* raw = row.first;
        const auto* clean = row.second;
        CAPTURE(raw);
        CHECK(AppName::sanitized(raw).str() == clean);
    }
    CHECK(default_app_name(AcIdentifier::parse("example.com/~bob/app_v1.2")).str() == "app-v1-2");
    CHECK(default_app_name(AcIdentifier::parse("redis")).str() == "redis");
}

TEST_CASE("versions: semantic versioning, strictly (TYP-10, TYP-11)")
{
    for (const char* good : {"1.0.0", "3.2.1-foo", "1.2.3-alpha+git", "0.8.11+git", "0.0.0-x", "0.0.1"})
        CHECK(AcVersion::parse(good).str() == good);
    for (const char* bad : {"", "1", "1.2", "1.2.3.4", "v1.2.3", " 1.2.3", "-1.2.3", "1.+2.3", "01.2.3", "1.2.3-",
                            "1.2.3+", "1.2.3-a..b", "1.2.3-a_b", "1.2.3-01", "0.0.0", "9223372036854775808.0.0"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(AcVersion::parse(bad), Error);
    }
}

TEST_CASE("versions: order of precedence (TYP-12)")
{
    const char* ascending[] = {"0.8.9",        "0.8.11",        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                               "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",  "1.0.0",         "2.0.0"};
    for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
        CAPTURE(ascending[i]);
        CHECK(AcVersion::parse(ascending[i]) < AcVersion::parse(ascending[i + 1]));
    }
    CHECK(AcVersion::parse("1.0.0+a") == AcVersion::parse("1.0.0+b"));
    CHECK_NOTHROW(AcVersion::parse("0.9.0").check_understood());
    CHECK_THROWS_AS(AcVersion::parse("1.0.0").check_understood(), Error);
}

TEST_CASE("image ids: 64 digits name an image, 128 are the digest (TYP-15..18)")
{
    const std::string half(64, 'a');
    const auto full = ImageId::parse("sha512-" + half + std::string(64, 'b'));
    const auto key = ImageId::parse("sha512-" + half);
    CHECK(full == key);
    CHECK(std::hash<ImageId>{}(full) == std::hash<ImageId>{}(key));
    CHECK(full.key() == "sha512-" + half);
    CHECK(full.key().size() == 71);
    CHECK(full.digest() == "sha512-" + half + std::string(64, 'b'));
    CHECK(key.digest() == key.key());
    CHECK(full.is_full());
    CHECK_FALSE(key.is_full());
    CHECK(full.shortened(12) == "sha512-aaaaaaaaaaaa");
    CHECK(full.agrees_with(key));
    CHECK_FALSE(full.agrees_with(ImageId::parse("sha512-" + half + std::string(64, 'c'))));

    for (const auto& bad :
         {std::string{""}, std::string{"sha512"}, "-" + half, "sha256-" + half, "SHA512-" + half,
          std::string{"sha512-"}, "sha512-" + half + "-a", "sha512-" + half.substr(1), "sha512-" + half + "a",
          "sha512-" + std::string(128, 'A'), std::string{"sha512-..."}, "sha512-" + std::string(129, 'a')}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(ImageId::parse(bad), Error);
    }
}

TEST_CASE("image ids: of a digest")
{
    std::array<std::uint8_t, 64> digest{};
    digest[0] = 0xAB;
    digest[63] = 0xCD;
    CHECK(ImageId::of_sha512(digest).digest() == "sha512-ab" + std::string(124, '0') + "cd");
}

TEST_CASE("image ids: prefixes as a user types them (cli 4.1)")
{
    const auto id = ImageId::parse("sha512-" + std::string(64, 'a'));
    CHECK(ImageIdPrefix::parse("sha512-aa").matches(id));
    CHECK_FALSE(ImageIdPrefix::parse("sha512-ab").matches(id));
    CHECK(ImageIdPrefix::parse("sha512-" + std::string(64, 'a') + "bbb").matches(id));
    CHECK_THROWS_WITH_AS(ImageIdPrefix::parse("sha512-a"), "image ID too short: \"sha512-a\"", Error);
    CHECK_THROWS_AS(ImageIdPrefix::parse("sha512-xy"), Error);
    CHECK(ImageIdPrefix::looks_like("sha512-aa"));
    CHECK_FALSE(ImageIdPrefix::looks_like("sha512-aa-bb"));
    CHECK_FALSE(ImageIdPrefix::looks_like("redis"));
}

TEST_CASE("pod ids: every spelling, one canonical form (TYP-19..21)")
{
    const auto id = PodId::parse("6733C088A5074694AABFEDBE4FC5266F");
    CHECK(id.str() == "6733c088-a507-4694-aabf-edbe4fc5266f");
    CHECK(PodId::parse(id.str()) == id);
    for (const char* bad :
         {"", "6733c088", "6733c088-a507-4694-aabf-edbe4fc5266", "6733c088-a507-4694-aabf-edbe4fc5266ff",
          "6733c088-a507-4694-aabf-edbe4fc5266g", "00000000-0000-0000-0000-000000000000"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(PodId::parse(bad), Error);
    }
}

TEST_CASE("pod ids: random ones are version 4 and differ")
{
    std::set<std::string> seen;
    for (int i = 0; i < 64; ++i) {
        const auto id = PodId::random().str();
        CHECK(PodId::parse(id).str() == id);
        CHECK(id[14] == '4');
        CHECK(std::string_view{"89ab"}.find(id[19]) != std::string_view::npos);
        seen.insert(id);
    }
    CHECK(seen.size() == 64);
}

TEST_CASE("pod ids: a prefix is text, with all its dashes or none (cli 6.1, Q37)")
{
    const auto id = PodId::parse("6733c088-a507-4694-aabf-edbe4fc5266f");
    CHECK(PodIdPrefix::parse("6").matches(id));
    CHECK(PodIdPrefix::parse("6733C088-A").matches(id));
    CHECK(PodIdPrefix::parse("6733c088a507").matches(id));
    CHECK(PodIdPrefix::parse("6733C088A5074694AABFEDBE4FC5266F").matches(id));
    CHECK_FALSE(PodIdPrefix::parse("6733c088-a5074").matches(id));
    CHECK_FALSE(PodIdPrefix::parse("6733c088b").matches(id));
    CHECK_THROWS_WITH_AS(PodIdPrefix::parse(""), "UUID cannot be empty", Error);
}

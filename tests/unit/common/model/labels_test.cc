// SPDX-License-Identifier: Apache-2.0
#include "common/model/labels.hh"

#include "common/model/image_name.hh"
#include "common/model/platform.hh"
#include "common/model/well_known.hh"
#include "support.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

Labels labels_of(std::string_view text)
{
    const auto value = json::parse(text, "test");
    return labels_from(json::Cursor{value, "image.labels"}.items());
}

Annotations annotations_of(std::string_view text)
{
    const auto value = json::parse(text, "test");
    return annotations_from(json::Cursor{value, "image.annotations"}.items());
}

std::string entry(std::string_view name, std::string_view value)
{
    return fmt::format(R"([{{"name":"{}","value":"{}"}}])", name, value);
}

} // namespace

TEST_CASE("labels: names are there, valid and unique (TYP-25, TYP-26)")
{
    CHECK(labels_of(R"([{"name":"a/b","value":""},{"name":"c"}])").size() == 2);
    check_refused([] { labels_of(R"([{"value":"x"}])"); }, "image.labels[0] has no \"name\"");
    check_refused([] { labels_of(R"([{"name":"A","value":"x"}])"); },
                  "image.labels[0].name: \"A\" is not a valid name");
    check_refused([] { labels_of(R"([{"name":"a","value":1}])"); }, "image.labels[0].value must be a string");
    check_refused([] { labels_of(R"([{"name":"a","value":"1"},{"name":"a","value":"2"}])"); },
                  "image.labels[1]: there is another \"a\"");
    check_refused([] { labels_of(entry("name", "x")); }, "image.labels[0]: a label cannot be called \"name\"");
    check_refused([] { labels_of("{}"); }, "image.labels must be a list");
}

TEST_CASE("labels: os and arch are in the table (TYP-30)")
{
    const auto both = [](const char* os, const char* arch) {
        return labels_of(fmt::format(R"([{{"name":"arch","value":"{}"}},{{"name":"os","value":"{}"}}])", arch, os));
    };
    const std::pair<const char*, const char*> good[] = {
        {"linux", "amd64"}, {"linux", "aarch64_be"}, {"linux", "s390x"}, {"freebsd", "arm"}, {"darwin", "x86_64"}};
    for (const auto& [os, arch] : good)
        CHECK_NOTHROW(both(os, arch));
    const std::pair<const char*, const char*> bad[] = {{"linux", "arm64"}, {"linux", "arm"},      {"linux", "ppc64l"},
                                                       {"linux", "S390x"}, {"freebsd", "armv7b"}, {"linux", ""},
                                                       {"darwin", "amd64"}};
    for (const auto& row : bad) {
        const auto* os = row.first;
        const auto* arch = row.second;
        CAPTURE(arch);
        check_refused([&] { both(os, arch); }, "is not known for os");
    }
    check_refused([] { labels_of(entry("os", "OS/360")); },
                  "image.labels[0]: os \"OS/360\" is not known: it must be one of darwin, freebsd, linux");
    check_refused([] { labels_of(entry("os", "")); }, "os \"\" is not known");
    CHECK_NOTHROW(labels_of(entry("arch", "pdp11"))); // without an os it has no meaning
}

TEST_CASE("labels: which images fit a request (DEP-8)")
{
    const auto have = labels_of(R"([{"name":"version","value":"1"},{"name":"os","value":"linux"}])");
    CHECK(satisfies(have, {}));
    CHECK(satisfies(have, labels_of(entry("version", "1"))));
    CHECK_FALSE(satisfies(have, labels_of(entry("version", "2"))));
    CHECK_FALSE(satisfies(have, labels_of(entry("channel", ""))));
}

TEST_CASE("annotations: values of the well-known ones (TYP-28)")
{
    CHECK_NOTHROW(annotations_of(entry("anything", "x")));
    CHECK_NOTHROW(annotations_of(entry("created", "2024-02-29T12:00:00.5+01:00")));
    check_refused([] { annotations_of(entry("created", "yesterday")); },
                  "image.annotations[0]: annotation \"created\" is not a date");
    check_refused([] { annotations_of(entry("homepage", "ftp://example.com")); }, "is not an http or https URL");
    check_refused([] { annotations_of(entry("documentation", "x")); }, "is not an http or https URL");
}

TEST_CASE("annotations: set in place, overlaid by name (TYP-29, EFF-4)")
{
    auto base = annotations_of(R"([{"name":"a","value":"1"},{"name":"b","value":"2"}])");
    set(base, AcIdentifier::parse("a"), "3");
    const auto all = merged(base, annotations_of(R"([{"name":"c","value":"4"},{"name":"b","value":"5"}])"));
    CHECK(json::write(to_json(all)) ==
          R"([{"name":"a","value":"3"},{"name":"b","value":"5"},{"name":"c","value":"4"}])");
}

TEST_CASE("dates: RFC 3339, strictly (TYP-22, TYP-23)")
{
    for (const char* good :
         {"2024-02-29T12:00:00Z", "2014-11-05T23:59:59.123456789012-23:59", "0000-01-01T00:00:00+00:00"}) {
        CAPTURE(good);
        CHECK(is_date(good));
    }
    for (const char* bad : {"",
                            "2014-02-30T00:00:00Z",
                            "2023-02-29T00:00:00Z",
                            "1900-02-29T00:00:00Z",
                            "2014-02-03 00:00:00Z",
                            "2014-02-03t00:00:00Z",
                            "2014-02-03T00:00:00z",
                            "2014-02-03T00:00:00",
                            "2014-02-03T00:00:00+0000",
                            "1415232000",
                            "2014-02-03T24:00:00Z",
                            "2014-02-03T00:60:00Z",
                            "2014-02-03T00:00:60Z",
                            "2014-02-03T1:00:00Z",
                            "2014-02-03T00:00:00,5Z",
                            "2014-02-03T00:00:00.Z",
                            "2014-02-03T00:00:00+24:00",
                            "2014-13-01T00:00:00Z",
                            "2014-00-01T00:00:00Z",
                            "2014-02-03T00:00:00ZZ",
                            "2014-02-03"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_date(bad));
    }
}

TEST_CASE("URLs: of the web, with a host (TYP-24)")
{
    for (const char* good : {"http://a", "https://example.com/x?y#z", "http://[::1]:80/"})
        CHECK(is_web_url(good));
    for (const char* bad : {"", "ftp://a", "unix:///a", "not a url", "http:", "http://", "http:///x", "https://a b",
                            "//example.com", "HTTPS", "http", "http:/", "http:/a"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_web_url(bad));
    }
}

TEST_CASE("platforms: OCI and back (TYP-32)")
{
    CHECK(from_oci({"linux", "amd64", ""}) == Platform{"linux", "amd64"});
    CHECK(from_oci({"linux", "arm", ""}) == Platform{"linux", "armv6l"});
    CHECK(from_oci({"linux", "arm", "v7"}) == Platform{"linux", "armv7l"});
    CHECK(from_oci({"freebsd", "arm", "v7"}) == Platform{"freebsd", "arm"});
    CHECK(to_oci({"linux", "armv6l"}) == OciPlatform{"linux", "arm", "v6"});
    CHECK(to_oci({"linux", "aarch64"}) == OciPlatform{"linux", "arm64", ""});
    CHECK(to_oci({"freebsd", "arm"}) == OciPlatform{"freebsd", "arm", "v6"});
    CHECK(to_oci({"darwin", "x86_64"}) == OciPlatform{"darwin", "amd64", ""});
    check_refused([] { from_oci({"windows", "amd64", ""}); }, "no name for the platform", Error::Kind::unsupported);
    for (const char* arch : {"aarch64_be", "armv7b"})
        check_refused([&] { to_oci({"linux", arch}); }, "no name for the platform", Error::Kind::unsupported);
}

TEST_CASE("platforms: of machines (TYP-33)")
{
    CHECK(platform_of_machine("x86_64") == Platform{"linux", "amd64"});
    CHECK(platform_of_machine("i686") == Platform{"linux", "i386"});
    CHECK(platform_of_machine("armv7hl") == Platform{"linux", "armv7l"});
    CHECK(platform_of_machine("ppc64le") == Platform{"linux", "ppc64le"});
    CHECK_FALSE(platform_of_machine("riscv64"));
    const auto host = host_platform();
    CHECK_NOTHROW(check_platform(host.os, host.arch));
}

TEST_CASE("image names: as a user types them (cli 4.1)")
{
    const auto image = ImageName::parse("example.com/app:1.2,zone=eu,arch=amd64,os=linux,channel=a=b");
    CHECK(image.name == "example.com/app");
    CHECK(*image.version() == "1.2");
    CHECK(*find(image.labels, "channel") == "a=b");
    CHECK(image.str() == "example.com/app:1.2,os=linux,arch=amd64,channel=a=b,zone=eu");
    CHECK(ImageName::parse("redis").labels.empty());
    CHECK(ImageName::parse("redis").version() == nullptr);
    CHECK(*ImageName::parse("a,version=3").version() == "3");
    CHECK(*ImageName::parse("a,x=%41+").labels[0].name.str().c_str() == 'x');
    CHECK(ImageName::parse("a,x=%41+").labels[0].value == "%41+"); // literal (cli Q16)
}

TEST_CASE("image names: malformed ones")
{
    const std::pair<const char*, const char*> cases[] = {
        {"a:1:2", "malformed app string - colon may appear at most once"},
        {"a,b=c:1", "malformed app string - colon may appear only right after the app name"},
        {"a:1,version=2", "label version with multiple values [1 2]"},
        {"a,b=1,b=2", "label b with multiple values [1 2]"},
        {"a,b", "has a label without a value: b"},
        {"a,B=1", "not a valid name"},
        {"", "cannot be empty"},
        {":1", "cannot be empty"},
        {"a,name=b", "cannot be called \"name\""},
        {"a,os=linux,arch=arm64", "not known for os"}};
    for (const auto& row : cases) {
        const auto* text = row.first;
        const auto* words = row.second;
        CAPTURE(text);
        check_refused([&] { ImageName::parse(text); }, words, Error::Kind::usage);
    }
}

TEST_CASE("image names: labels of the host where the user gave none (cli 4.1)")
{
    const auto host = host_platform();
    CHECK(*find(ImageName::parse("a").for_host().labels, "arch") == host.arch);
    const auto other = ImageName::parse("a,os=linux,arch=s390x").for_host();
    CHECK(*find(other.labels, "arch") == "s390x");
    CHECK(other.labels.size() == 2);
}

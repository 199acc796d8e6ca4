// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/reference.hh"

#include <doctest/doctest.h>
#include <unistd.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::image;

namespace
{

// "file PATH", "name NAME", "id PREFIX", "url", "docker", "distribution point", "error"
std::string meaning(const std::string& text, bool is_file = false)
{
    try {
        const auto reference = parse_reference(text, [&](const std::string&) { return is_file; });
        if (const auto* file = std::get_if<FileReference>(&reference))
            return "file " + file->path + (file->hides_name ? " (hides a name)" : "");
        if (const auto* name = std::get_if<model::ImageName>(&reference))
            return "name " + name->str();
        if (const auto* id = std::get_if<model::ImageIdPrefix>(&reference))
            return "id " + id->str();
        if (std::holds_alternative<UrlReference>(reference))
            return "url";
        return std::holds_alternative<DockerReference>(reference) ? "docker" : "distribution point";
    } catch (const Error& error) {
        return "error";
    }
}

std::string here(const std::string& name)
{
    char buffer[4096];
    return "file " + std::string{::getcwd(buffer, sizeof buffer)} + "/" + name;
}

} // namespace

TEST_CASE("cli 4.1: what IMAGE means")
{
    CHECK(meaning("sha512-0123abcd") == "id sha512-0123abcd");
    CHECK(meaning("file:///srv/a.aci") == "file /srv/a.aci");
    CHECK(meaning("file:/srv/a.aci") == "file /srv/a.aci");
    CHECK(meaning("file://localhost/srv/a%20b%25.aci") == "file /srv/a b%.aci");
    CHECK(meaning("https://example.com/a.aci") == "url");
    CHECK(meaning("http://example.com/a.aci") == "url");
    CHECK(meaning("docker://busybox") == "docker");
    CHECK(meaning("docker:busybox") == "docker");
    CHECK(meaning("cimd:appc:v=0:example.com/a") == "distribution point");
    CHECK(meaning("redis:3.2") == "name redis:3.2");
    CHECK(meaning("example.com/app:1.0,os=linux").starts_with("name example.com/app:1.0"));
}

TEST_CASE("cli 4.2: path or name?")
{
    CHECK(meaning("/srv/a.aci") == "file /srv/a.aci");
    CHECK(meaning("/srv/image%41 #1?.aci") == "file /srv/image%41 #1?.aci"); // a path is no URL (Q57)
    CHECK(meaning("./redis") == here("./redis"));
    CHECK(meaning("../redis") == here("../redis"));
    CHECK(meaning("redis.aci") == here("redis.aci"));
    CHECK(meaning("redis") == "name redis");
    CHECK(meaning("redis", true) == here("redis") + " (hides a name)");
    CHECK(meaning("redis.aci", true) == here("redis.aci"));
    CHECK(meaning("a:b.aci", true) == here("a:b.aci"));
    CHECK(meaning("example.com/app:1.0") == "name example.com/app:1.0");
}

TEST_CASE("what means nothing is refused")
{
    for (const char* bad :
         {"", "file:relative.aci", "file:///a", "file:///a.aci?x=y", "file:///a.aci#x", "file:///%zz.aci", "file:///%4",
          "file:///%00.aci", "ftp://example.com/a.aci", "Not A Name", "sha512-", "sha512-0", "sha512-xyz"}) {
        CAPTURE(bad);
        CHECK(meaning(bad) == "error");
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/discovery.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::image;
using model::AcIdentifier;
using model::ImageName;

namespace
{

std::string rendered(const char* text, const char* name, const char* ext = "aci")
{
    return render_template(text, ImageName::parse(name), ext).value_or("skipped");
}

std::string applied(const char* content, const char* name = "example.com/foobar")
{
    return applicable({"ac-discovery", content}, "ac-discovery", AcIdentifier::parse(name)).value_or("ignored");
}

} // namespace

TEST_CASE("DISC-22..25: templates")
{
    constexpr const char* full = "https://storage.example.com/{name}-{version}-{os}-{arch}.{ext}";
    constexpr const char* name = "example.com/myapp:1.0.0,os=linux,arch=amd64";
    CHECK(rendered(full, name) == "https://storage.example.com/example.com/myapp-1.0.0-linux-amd64.aci");
    CHECK(rendered(full, name, "aci.asc") == "https://storage.example.com/example.com/myapp-1.0.0-linux-amd64.aci.asc");
    CHECK(rendered(full, "example.com/myapp:1.0.0") == "skipped"); // no os
    CHECK(rendered("https://s/{name}-{version}.{ext}", "example.com/myapp") ==
          "https://s/example.com/myapp-latest.aci");
    CHECK(rendered("{version}.{ext}", "example.com/myapp:") == "latest.aci");     // DISC-9
    CHECK(rendered("{x}.{ext}", "a.com/b,x={y}/../{ext}") == "{y}/../{ext}.aci"); // one pass, literally
    CHECK(rendered("https://s/{name}.aci", "a.com/b") == "skipped");
    for (const char* unknown : {"{NAME}{ext}", "{+name}{ext}", "{}{ext}", "{name{ext}", "{ext}{", "{ext} {other}"})
        CHECK_MESSAGE(rendered(unknown, "a.com/b") == "skipped", unknown);
}

TEST_CASE("DISC-19, 20: which tags apply")
{
    CHECK(applied("example.com https://x/{ext}") == "https://x/{ext}");
    CHECK(applied("example.com/foo x") == "x"); // a plain prefix
    CHECK(applied(" \n example.com \t x \f") == "x");
    for (const char* other : {"", "  ", "example.com", "example.com ", "example.com/foo/bar x", "other.com x",
                              "example.com x y", "Example.com x"})
        CHECK_MESSAGE(applied(other) == "ignored", other);
    CHECK_FALSE(applicable({"ac-other", "example.com x"}, "ac-discovery", AcIdentifier::parse("example.com")));
}

TEST_CASE("DISC-6: the walk up to the host")
{
    CHECK(pages_for(AcIdentifier::parse("a.com/b/c")) == std::vector<std::string>{"a.com/b/c", "a.com/b", "a.com"});
    CHECK(pages_for(AcIdentifier::parse("a.com")) == std::vector<std::string>{"a.com"});
}

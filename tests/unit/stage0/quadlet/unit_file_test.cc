// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/unit_file.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::quadlet;

namespace
{

UnitFile file(std::string_view text)
{
    UnitFile unit{.name = "web.container", .path = "/e/web.container"};
    unit.add(text, unit.path);
    return unit;
}

} // namespace

TEST_CASE("unit file: sections, comments, continued lines and places")
{
    const auto unit = file("# comment\n[Unit]\nDescription = a web  server \n\n; more\n[Container]\nExec=one \\\n"
                           "# between\n  two\\\n three\nImage=\n[Unit]\nAfter=x\r\n");
    REQUIRE(unit.sections.size() == 2);
    CHECK(unit.last("Unit", "Description")->value == "a web  server");
    CHECK(unit.last("Unit", "After")->value == "x");
    CHECK(unit.last("Container", "Exec")->value == "one two three");
    CHECK(unit.last("Container", "Exec")->place == "/e/web.container:7");
    CHECK(unit.last("Container", "Image")->value.empty());
    CHECK(unit.last("Container", "Image")->place == "/e/web.container:11");
    CHECK(unit.last("Service", "Type") == nullptr);
}

TEST_CASE("unit file: what is no unit file is named with its line")
{
    CHECK_THROWS_WITH(file("[A]\nx=1\nnonsense\n"),
                      "/e/web.container:3: \"nonsense\" is neither [SECTION] nor KEY=VALUE");
    CHECK_THROWS_WITH(file("x=1\n"), "/e/web.container:1: \"x=1\" stands before the first [SECTION]");
    CHECK_THROWS_WITH(file("[A]\n=1\n"), "/e/web.container:2: \"=1\" is neither [SECTION] nor KEY=VALUE");
    CHECK_THROWS_WITH(file("[A]\nx=\xff\n"), "/e/web.container:2: this line is not UTF-8 text");
}

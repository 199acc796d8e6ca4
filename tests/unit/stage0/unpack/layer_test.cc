// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/layer.hh"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "stage0/unpack/extract.hh"
#include "tar_builder.hh"

using namespace rocket;
using namespace rocket::unpack;

namespace
{

Layer run(const std::string& tar)
{
    prepare_extraction();
    std::size_t at = 0;
    const Read read = [&](char* buffer, std::size_t size) {
        const auto count = std::min(size, tar.size() - at);
        std::memcpy(buffer, tar.data() + at, count);
        at += count;
        return count;
    };
    return extract_layer(read, Fd{}, {.drop_foreign_xattrs = true});
}

using Paths = std::vector<std::string>;

} // namespace

TEST_CASE("layers: white-outs and opaque directories count wherever they stand in the tar (OLYR-9, OLYR-10)")
{
    TarBuilder tar;
    tar.add({.name = "a/.wh.gone"}).add({.name = "a/.wh..wh..opq"}).add({.name = "a/own"}).add({.name = ".wh.own"});
    tar.add({.name = "own", .content = "x"}).add({.name = ".wh.b"}).add({.name = "d/x"}).add({.name = ".wh.d"});
    const auto seams = run(tar.end()).seams;
    CHECK(seams.opaque == Paths{"a", "d"});
    CHECK(seams.whiteouts == Paths{"b"});
    CHECK(seams.implied == Paths{"", "a"});
}

TEST_CASE("layers: hard links into lower layers, also by way of another one (OLYR-8)")
{
    TarBuilder tar;
    tar.add({.name = "l", .type = '1', .link = "/below"}).add({.name = "m", .type = '1', .link = "l"});
    tar.add({.name = "n", .type = '1', .link = "below"}).add({.name = "n", .content = "own"});
    CHECK(run(tar.end()).seams.links == std::map<std::string, std::string>{{"l", "below"}, {"m", "below"}});
}

TEST_CASE("layers: empty ones, and those with something behind the end (OLYR-3, OLYR-14)")
{
    CHECK(run("").seams.implied == Paths{""});
    CHECK(run(std::string(1024, '\0')).tree.members == 1);
    CHECK(run(TarBuilder{}.add({.name = "x"}).end() + "anything").tree.members == 2);
}

TEST_CASE("seams: there and back, and nothing that leads out")
{
    const Seams seams{.implied = {"", "a b"},
                      .opaque = {"o\n"},
                      .whiteouts = {"w/\xff"},
                      .links = {{"l", "t/u"}},
                      .devices = {{"dev/null", {'c', 1, 3}}}};
    CHECK(Seams::parse(seams.write()) == seams);
    for (const std::string_view text :
         {std::string_view{"i../x\0", 6}, std::string_view{"ia", 2}, std::string_view{"x\0", 2},
          std::string_view{"w\0", 2}, std::string_view{"i/a\0", 4}, std::string_view{"la\0", 3}})
        CHECK_THROWS_AS(Seams::parse(text), Error);
}

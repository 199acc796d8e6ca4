// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/sys/sys.hh"
#include "stage0/unpack/limits.hh"
#include "stage0/unpack/report.hh"

using namespace rocket;
using namespace rocket::unpack;

namespace
{

constexpr std::size_t largest_manifest = 100;

template <typename Send>
std::string sent(Send send)
{
    auto pipe = sys::make_pipe();
    send(pipe.write.get());
    pipe.write.reset();
    return sys::read_to_end(pipe.read.get(), 1 << 20);
}

bool is_refused(const std::string& bytes)
{
    try {
        parse_report(bytes, largest_manifest);
        return false;
    } catch (const Error& error) {
        return error.kind() == Error::Kind::corrupt;
    }
}

const TreeSummary tree{.digest = {1, 2, 3}, .members = 4, .file_bytes = std::uint64_t{5} << 40};
const TreeSummary lacking{.digest = {1}, .members = 4, .lacks_set_ids = 3, .first_lacking = "\"rootfs/bin/su\""};

} // namespace

TEST_CASE("a report comes back as it was sent")
{
    const auto bytes = sent([](int fd) {
        send_manifest(fd, "{}");
        send_tree(fd, tree);
    });
    const auto report = parse_report(bytes, largest_manifest);
    CHECK(report.manifest == "{}");
    CHECK(report.tree == tree);
    CHECK_FALSE(report.error);
    CHECK(parse_report(sent([](int fd) { send_tree(fd, lacking); }), largest_manifest).tree == lacking);
    for (std::size_t size = 1; size < bytes.size(); ++size)
        if (size != 7) // the manifest alone
            CHECK(is_refused(bytes.substr(0, size)));
}

TEST_CASE("a report that could confuse the broker is refused")
{
    const auto manifest = sent([](int fd) { send_manifest(fd, "{}"); });
    const auto summary = sent([](int fd) { send_tree(fd, tree); });
    CHECK(is_refused(manifest + manifest));
    CHECK(is_refused(summary + manifest));
    CHECK(is_refused(summary + summary));
    CHECK(is_refused(std::string("X\0\0\0\0", 5)));
    CHECK(is_refused(std::string("T\1\0\0\0x", 6)));
    CHECK(is_refused(std::string("M\xff\xff\xff\xff", 5)));
    CHECK(is_refused(sent([](int fd) { send_manifest(fd, std::string(101, ' ')); })));
}

TEST_CASE("what a worker says about an error is made printable, and stays in bounds")
{
    const auto report = parse_report(sent([](int fd) {
                                         Error error{Error::Kind::unsupported, "bad \x1b[2J name", "hint\x07"};
                                         send_error(fd, error.add_context("outer\n"));
                                     }),
                                     largest_manifest);
    REQUIRE(report.error);
    CHECK(report.error->kind() == Error::Kind::unsupported);
    CHECK(report.error->causes() == std::vector<std::string>{"outer\\n", "bad \\x1b[2J name"});
    CHECK(report.error->hint() == "hint\\x07");
    const auto long_error = sent([](int fd) { send_error(fd, {Error::Kind::corrupt, std::string(100'000, 'x')}); });
    CHECK(parse_report(long_error, largest_manifest).error);
}

TEST_CASE("limits travel as words")
{
    Limits limits;
    limits.members = 7;
    limits.cpu_seconds = 1;
    Limits back;
    for (const auto& word : words_of(limits))
        set_limit(back, word);
    CHECK(back == limits);
    for (const char* bad : {"members", "members=", "members=-1", "members=1k", "nothing=1", "=1", ""}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(set_limit(back, bad), Error);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/extract.hh"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>

#include "common/sys/file.hh"
#include "scratch.hh"
#include "stage0/store/tree_walk.hh"
#include "tar_builder.hh"

using namespace rocket;
using namespace rocket::unpack;

namespace
{

struct Result {
    TreeSummary tree;
    std::string manifest;
};

Result run(const std::string& tar, Fd root, const ExtractOptions& options = {}, std::size_t step = 65536)
{
    prepare_extraction();
    ::umask(0);
    std::size_t at = 0;
    const Read read = [&](char* buffer, std::size_t size) {
        const auto count = std::min({size, step, tar.size() - at});
        std::memcpy(buffer, tar.data() + at, count);
        at += count;
        return count;
    };
    Result result;
    result.tree = extract(read, std::move(root), options, [&](std::string_view bytes) { result.manifest = bytes; });
    return result;
}

std::string error_of(const std::string& tar, const ExtractOptions& options = {})
{
    try {
        run(tar, Fd{}, options);
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}

TarBuilder image()
{
    TarBuilder tar;
    tar.add({.name = "manifest", .content = "{}"}).add({.name = "rootfs", .type = '5', .mode = 0755});
    return tar;
}

bool refused(const TarBuilder& tar, std::string_view word, const ExtractOptions& options = {})
{
    const auto error = error_of(tar.end(), options);
    CAPTURE(error);
    CHECK(error.find(word) != std::string::npos);
    return error != "none";
}

Fd make_root(const Scratch& scratch)
{
    sys::make_dir(scratch.fd(), "root", 0700);
    return sys::open(scratch.fd(), "root", O_RDONLY | O_DIRECTORY);
}

} // namespace

TEST_CASE("what is written has the digest that the archive announced")
{
    auto tar = image();
    tar.add({.name = "rootfs/b/c/deep", .content = "deep"}) // no entries for its parents
        .add({.name = "rootfs/a-b", .content = "between a and a/ in byte order"})
        .add({.name = "rootfs/a", .type = '5', .mode = 0500, .mtime = 1'000'000'000})
        .add({.name = "./rootfs/a/file", .content = std::string(100'000, 'x'), .mode = 0640, .mtime = 1'234'567'890})
        .add({.name = "rootfs/a/hard", .type = '1', .link = "rootfs/a/file"})
        .add({.name = "rootfs/a/link", .type = '2', .link = "/etc/../../passwd"})
        .add({.name = "rootfs/a/hard-link-to-link", .type = '1', .link = "rootfs//a/link"})
        .add({.name = "rootfs/pipe", .type = '6', .mode = 0622})
        .add({.name = "rootfs/suid", .content = "", .mode = 04755});
    const Scratch scratch;
    const auto written = run(tar.end(), make_root(scratch));
    CHECK(written.manifest == "{}");
    const auto root = sys::open(scratch.fd(), "root", O_RDONLY | O_DIRECTORY);
    if (::geteuid() == 0) // a tree of root's own, as it is in the store
        CHECK(text::hex(store::digest_of_tree(root.get())) == text::hex(written.tree.digest));
    CHECK(written.tree == run(tar.end(), Fd{}).tree);
    CHECK(written.tree == run(tar.end(), Fd{}, {}, 100).tree);

    CHECK(sys::stat_at(root.get(), "suid").st_mode == (S_IFREG | 04755));
    CHECK(sys::stat_at(root.get(), "a").st_mode == (S_IFDIR | 0500));
    CHECK(sys::stat_at(root.get(), "a").st_mtime == 1'000'000'000);
    CHECK(sys::stat_at(root.get(), "b").st_mode == (S_IFDIR | 0755));
    CHECK(sys::stat_at(root.get(), "a/hard").st_nlink == 2);
    CHECK(sys::read_link(root.get(), "a/link") == "/etc/../../passwd");
    CHECK(::fchmodat(root.get(), "a", 0700, 0) == 0); // or the scratch directory could not be removed
}

TEST_CASE("the digest tells trees apart")
{
    const auto digest = [](const TarMember& member) {
        return text::hex(run(image().add(member).end(), Fd{}).tree.digest);
    };
    const TarMember base{.name = "rootfs/f", .content = "1", .mode = 0644, .uid = 1, .gid = 2, .mtime = 3};
    const auto changed = [&](auto change) {
        auto member = base;
        change(member);
        return digest(member);
    };
    const auto same = digest(base);
    CHECK(same == digest(base));
    CHECK(same != changed([](auto& m) { m.name = "rootfs/g"; }));
    CHECK(same != changed([](auto& m) { m.content = "2"; }));
    CHECK(same != changed([](auto& m) { m.mode = 0600; }));
    CHECK(same != changed([](auto& m) { m.uid = 0; }));
    CHECK(same != changed([](auto& m) { m.gid = 0; }));
    CHECK(same != changed([](auto& m) { m.mtime = 4; }));
    auto with_xattr = image();
    with_xattr.pax(TarBuilder::record("SCHILY.xattr.user.a", "b")).add(base);
    CHECK(same != text::hex(run(with_xattr.end(), Fd{}).tree.digest));
    auto two_files = image();
    two_files.add(base).add({.name = "rootfs/h", .content = "1", .mode = 0644, .uid = 1, .gid = 2, .mtime = 3});
    auto one_inode = image();
    one_inode.add(base).add({.name = "rootfs/h", .type = '1', .link = "rootfs/f"});
    CHECK(run(two_files.end(), Fd{}).tree.digest != run(one_inode.end(), Fd{}).tree.digest);
}

TEST_CASE("ACI-1..7: what is not an image is refused")
{
    const TarMember manifest{.name = "manifest", .content = "{}"};
    const TarMember rootfs{.name = "rootfs", .type = '5'};
    CHECK(refused(TarBuilder{}.add(rootfs), "no image manifest"));
    CHECK(refused(TarBuilder{}.add(manifest), "no rootfs"));
    CHECK(refused(TarBuilder{}.add(manifest).add({.name = "rootfs/a", .content = "x"}), "no rootfs"));
    CHECK(refused(TarBuilder{}.add(manifest).add(rootfs).add(manifest), "\"manifest\" twice"));
    CHECK(refused(TarBuilder{}.add(manifest).add(rootfs).add(rootfs), "\"rootfs\" twice"));
    CHECK(refused(TarBuilder{}.add({.name = "manifest", .type = '2', .link = "x"}).add(rootfs), "not a regular file"));
    CHECK(refused(TarBuilder{}.add(manifest).add({.name = "rootfs", .type = '2', .link = "/"}), "not a directory"));
    CHECK(refused(image().add({.name = "rootfsfoo"}), "\"rootfsfoo\""));
    CHECK(refused(image().add({.name = "manifest/x"}), "\"manifest/x\""));
    CHECK(refused(image().add({.name = "/rootfs/x"}), "absolute"));
    CHECK(refused(image().add({.name = "rootfs/a/../b"}), "\"..\""));
    CHECK(refused(image().add({.name = "rootfs/x"}).add({.name = "rootfs//./x"}), "\"rootfs/x\" twice"));
    CHECK(refused(image().add({.name = "rootfs/d", .type = '5'}).add({.name = "rootfs/d/", .type = '5'}), "twice"));
    CHECK(refused(image().add({.name = "rootfs/d/x"}).add({.name = "rootfs/d"}), "twice"));
    CHECK(error_of(image().add({.name = "./", .type = '5'}).end()) == "none");
}

TEST_CASE("ACI-12, ACI-13: links lead nowhere")
{
    CHECK(refused(image().add({.name = "rootfs/l", .type = '2', .link = "/tmp"}).add({.name = "rootfs/l/x"}),
                  "\"rootfs/l\""));
    CHECK(refused(image().add({.name = "rootfs/f"}).add({.name = "rootfs/f/x"}), "\"rootfs/f\""));
    CHECK(refused(image().add({.name = "rootfs/h", .type = '1', .link = "/etc/passwd"}), "hard link"));
    CHECK(refused(image().add({.name = "rootfs/h", .type = '1', .link = "rootfs/../manifest"}), "hard link"));
    CHECK(refused(image().add({.name = "rootfs/h", .type = '1', .link = "manifest"}), "not below rootfs"));
    CHECK(refused(image().add({.name = "rootfs/h", .type = '1', .link = "rootfs/later"}).add({.name = "rootfs/later"}),
                  "no earlier file"));
    CHECK(refused(image().add({.name = "rootfs/h", .type = '1', .link = "rootfs"}), "no earlier file"));
}

TEST_CASE("devices only where they are allowed, and never a white-out")
{
    auto device = image();
    auto header = TarBuilder::header({.name = "rootfs/null", .type = '3'}, 0);
    header.replace(329, 7, "0000001").replace(337, 7, "0000003");
    device.raw(TarBuilder::checked(header));
    CHECK(refused(device, "device"));
    CHECK(error_of(device.end(), {.allow_devices = true}) == "none");
    CHECK(refused(image().add({.name = "rootfs/w", .type = '3'}), "white-out", {.allow_devices = true}));
}

TEST_CASE("ids that mean something else to the kernel")
{
    auto tar = image();
    tar.pax(TarBuilder::record("uid", "4294967295")).add({.name = "rootfs/x"});
    CHECK(refused(tar, "out of range"));
    auto more = image();
    more.pax(TarBuilder::record("gid", "4294967296")).add({.name = "rootfs/x"});
    CHECK(refused(more, "out of range"));
    auto negative = image();
    negative.pax(TarBuilder::record("uid", "-1")).add({.name = "rootfs/x"});
    CHECK(refused(negative, "bad value"));
}

TEST_CASE("extended attributes: the image's own, not the host's")
{
    const auto with = [](std::string_view name, std::string_view value) {
        auto tar = image();
        tar.pax(TarBuilder::record(fmt::format("SCHILY.xattr.{}", name), value)).add({.name = "rootfs/x"});
        return tar;
    };
    CHECK(refused(with("trusted.overlay.redirect", "/etc"), "trusted.overlay.redirect"));
    CHECK(refused(with("user.big", std::string(70'000, 'x')), "limit xattr-bytes"));
    const auto plain = run(image().add({.name = "rootfs/x"}).end(), Fd{}).tree.digest;
    CHECK(run(with("security.selinux", "label").end(), Fd{}).tree.digest == plain);
    CHECK(run(with("security.capability", std::string_view{"\1\0\0\2\0", 5}).end(), Fd{}).tree.digest != plain);
}

TEST_CASE("ACI-21: every dialect of tar gives the same tree")
{
    const std::string path = "rootfs/" + std::string(60, 'd') + "/" + std::string(90, 'f');
    const auto digest = [](const TarBuilder& tar) { return text::hex(run(tar.end(), Fd{}).tree.digest); };
    const TarMember file{.name = path, .content = "content", .uid = 7};

    auto prefix = file;
    prefix.prefix = path.substr(0, path.rfind('/'));
    prefix.name = path.substr(path.rfind('/') + 1);
    const auto expected = digest(image().add(prefix));

    auto pax = image();
    CHECK(digest(pax.pax(TarBuilder::record("path", path)).add(file)) == expected);

    auto gnu_file = file;
    gnu_file.magic = std::string_view{"ustar  \0", 8};
    auto gnu = image();
    gnu.add({.name = "././@LongLink", .type = 'L', .content = path + std::string(1, '\0'), .magic = gnu_file.magic});
    CHECK(digest(gnu.add(gnu_file)) == expected);

    auto base256 = image();
    auto header = TarBuilder::header(prefix, prefix.content.size());
    header.replace(108, 8, std::string("\x80\0\0\0\0\0\0\x07", 8));
    CHECK(digest(base256.raw(TarBuilder::checked(header)).add_padded(prefix.content)) == expected);

    auto v7 = TarBuilder{};
    v7.add({.name = "manifest", .content = "{}", .magic = ""})
        .add({.name = "rootfs/", .type = '0', .mode = 0755, .magic = ""})
        .add({.name = "rootfs/x", .content = "x", .magic = ""});
    CHECK(digest(v7) == digest(image().add({.name = "rootfs/x", .content = "x"})));
}

TEST_CASE("PAX names keep their bytes: composed and decomposed letters are two files")
{
    auto tar = image();
    tar.pax(TarBuilder::record("path", "rootfs/e\xcc\x81")).add({.name = "rootfs/ascii"});
    tar.pax(TarBuilder::record("path", "rootfs/\xc3\xa9")).add({.name = "rootfs/ascii"});
    const Scratch scratch;
    run(tar.end(), make_root(scratch));
    CHECK(scratch.names_in(scratch.path() + "/root") == std::vector<std::string>{"e\xcc\x81", "\xc3\xa9"});
}

TEST_CASE("sparse files have their holes, and the holes are part of the content")
{
    // Old GNU format: 3 bytes at 0, then 3 bytes at 1 MiB.
    auto header = TarBuilder::header({.name = "rootfs/s", .type = 'S', .magic = std::string_view{"ustar  \0", 8}}, 6);
    const auto octal = [&](std::size_t at, std::uint64_t value) {
        header.replace(at, 12, fmt::format("{:011o}", value) + std::string(1, '\0'));
    };
    octal(386, 0);
    octal(398, 3);
    octal(410, 1 << 20);
    octal(422, 3);
    octal(483, (1 << 20) + 3);
    auto tar = image();
    tar.raw(TarBuilder::checked(header)).add_padded("abcdef");
    const Scratch scratch;
    const auto sparse = run(tar.end(), make_root(scratch));
    const auto content = file::read(scratch.fd(), "root/s");
    CHECK(content == "abc" + std::string((1 << 20) - 3, '\0') + "def");
    CHECK(sparse.tree == run(image().add({.name = "rootfs/s", .content = content}).end(), Fd{}).tree);
}

TEST_CASE("what libarchive lets through is refused")
{
    CHECK(refused(image().add({.name = "rootfs/x", .type = 'Z'}), "type"));
    CHECK(refused(image().pax(TarBuilder::record("path", std::string_view{"rootfs/a\0b", 10})).add({.name = "x"}),
                  "NUL"));
    CHECK(refused(image().pax("11 size=abc\n").add({.name = "rootfs/x"}), "PAX"));
    CHECK(refused(image().pax("99 path=x\n").add({.name = "rootfs/x"}), "malformed"));
    CHECK(refused(image().pax(TarBuilder::record("size", "512")).add({.name = "L", .type = 'L', .content = "rootfs/x"}),
                  "PAX and GNU"));
    CHECK(refused(image().pax(TarBuilder::record("mtime", "1"), 'g').add({.name = "rootfs/x"}), "global"));
    CHECK(error_of(image().pax(TarBuilder::record("comment", "git"), 'g').add({.name = "rootfs/x"}).end()) == "none");
    auto wrong_sum = image().open_end() + TarBuilder::header({.name = "rootfs/x"}, 0);
    wrong_sum[wrong_sum.size() - 512] = 'X';
    CHECK(error_of(wrong_sum + std::string(1024, '\0')).find("check sum") != std::string::npos);
    CHECK(error_of(image().end() + "data").find("behind the end") != std::string::npos);
    CHECK(error_of(image().open_end() + std::string(512, '\0') + image().end()).find("behind the end") !=
          std::string::npos);
    CHECK(error_of(image().end() + std::string(20 * 512, '\0')) == "none");
    CHECK(error_of(image().open_end()) == "none"); // the end of the file at a block boundary will do (ACI-9)
    const auto cut = image().add({.name = "rootfs/x", .content = std::string(2000, 'x')}).open_end();
    for (const auto size : {cut.size() - 1, cut.size() - 600, std::size_t{700}})
        CHECK(error_of(cut.substr(0, size)).find("ends too early") != std::string::npos);
}

TEST_CASE("R16: each limit has its own error")
{
    const auto error_with = [](std::uint64_t Limits::*limit, std::uint64_t value, const TarBuilder& tar) {
        ExtractOptions options;
        options.limits.*limit = value;
        return error_of(tar.end(), options);
    };
    const auto names = [](const std::string& error, std::string_view limit) {
        CAPTURE(error);
        return error.find(fmt::format("(limit {})", limit)) != std::string::npos;
    };
    const auto file = image().add({.name = "rootfs/a/b/c", .content = std::string(1000, 'x')});
    CHECK(names(error_with(&Limits::members, 2, file), "members"));
    CHECK(names(error_with(&Limits::members, 3, image().add({.name = "rootfs/1/2/3/4/5"})), "members")); // implied ones
    CHECK(names(error_with(&Limits::depth, 2, file), "depth"));
    CHECK(names(error_with(&Limits::unpacked_bytes, 900, file), "unpacked-bytes"));
    CHECK(names(error_with(&Limits::path_bytes, 10, file), "path-bytes"));
    CHECK(names(error_with(&Limits::name_bytes, 5, file), "name-bytes"));
    CHECK(names(error_with(&Limits::manifest_bytes, 1, file), "manifest-bytes"));
    CHECK(names(error_with(&Limits::link_bytes, 3, image().add({.name = "rootfs/l", .type = '2', .link = "abc"})),
                "link-bytes"));
    CHECK(names(error_with(&Limits::pax_bytes, 10,
                           image().pax(TarBuilder::record("comment", "long enough")).add({.name = "rootfs/x"})),
                "pax-bytes"));
    CHECK(error_with(&Limits::members, 6, file) == "none");
}

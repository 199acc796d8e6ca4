// SPDX-License-Identifier: Apache-2.0
#include "common/sys/resolve.hh"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "tests/unit/scratch.hh"

using namespace rocket;

namespace
{

// What an open comes to: an error, or which file.
struct Outcome {
    int error_number = 0;
    ino_t file = 0;
    bool operator==(const Outcome&) const = default;
};

doctest::String toString(const Outcome& outcome)
{
    return fmt::format("errno {}, inode {}", outcome.error_number, outcome.file).c_str();
}

Outcome outcome_of(int fd)
{
    if (fd < 0)
        return {.error_number = errno};
    const Fd owned{fd};
    return {.file = sys::stat(fd).st_ino};
}

int by_the_kernel(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve)
{
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = resolve;
    return static_cast<int>(::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how));
}

// A tree with a link of each kind, below a directory that nothing may leave.
struct Tree {
    Scratch scratch;
    Fd root;

    Tree()
    {
        for (const char* dir : {"root", "root/a", "root/a/b", "root/etc", "outside"})
            sys::make_dir(scratch.fd(), dir, 0755);
        for (const char* file : {"root/file", "root/a/b/deep", "root/etc/passwd", "outside/secret", "etc"})
            sys::open(scratch.fd(), file, O_WRONLY | O_CREAT | O_EXCL, 0644);
        constexpr std::pair<const char*, const char*> links[] = {
            {"a/b/deep", "root/to-deep"},
            {"/etc/passwd", "root/absolute"},
            {"../outside/secret", "root/out"},
            {"../../../../etc", "root/a/b/up"},
            {"loop", "root/loop"},
            {"a", "root/to-dir"},
            {"nothing", "root/dangling"},
            {"../a/./b/..", "root/a/round"},
            {"/proc/self/cwd", "root/magic"},
            {"to-dir", "root/twice"},
            {"/", "root/top"},
        };
        for (const auto& [target, name] : links)
            sys::make_symlink(target, scratch.fd(), name);
        root = sys::open(scratch.fd(), "root", O_PATH | O_DIRECTORY);
    }
};

} // namespace

TEST_CASE("resolving by hand comes to what openat2(2) comes to (R3)")
{
    const Tree tree;
    constexpr const char* paths[] = {
        "",
        ".",
        "..",
        "/",
        "/..",
        "file",
        "file/",
        "file/x",
        "a",
        "a/",
        "a/b/deep",
        "/a/b/deep",
        "a/../file",
        "a/..",
        "../root",
        "../outside/secret",
        "to-deep",
        "to-deep/",
        "absolute",
        "out",
        "a/b/up",
        "a/b/up/passwd",
        "loop",
        "loop/x",
        "to-dir",
        "to-dir/",
        "to-dir/b",
        "twice/b",
        "twice/../file",
        "dangling",
        "dangling/x",
        "missing",
        "missing/x",
        "a/round",
        "a/round/b/deep",
        "magic",
        "magic/x",
        "top/a",
        "top/../a",
        "a//b///deep",
        "./a/./b",
        "a/b/../../../..",
    };
    constexpr std::uint64_t resolves[] = {
        RESOLVE_IN_ROOT,
        RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
        RESOLVE_BENEATH,
        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
        RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
        RESOLVE_NO_SYMLINKS,
        RESOLVE_NO_MAGICLINKS,
        RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
    };
    constexpr std::uint64_t flags[] = {O_PATH, O_PATH | O_NOFOLLOW, O_PATH | O_DIRECTORY, O_RDONLY};
    for (const char* path : paths)
        for (const auto resolve : resolves)
            for (const auto flag : flags) {
                CAPTURE(path);
                CAPTURE(resolve);
                CAPTURE(flag);
                CHECK(outcome_of(sys::resolve_by_hand(tree.root.get(), path, flag, resolve, 0)) ==
                      outcome_of(by_the_kernel(tree.root.get(), path, flag, resolve)));
            }
}

TEST_CASE("an absolute path is on no other mount than its own root")
{
    const auto elsewhere = sys::open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);
    constexpr auto resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
    for (const char* path : {"/", "/etc/passwd", "/proc/self", "self/.."}) {
        CAPTURE(path);
        CHECK(outcome_of(sys::resolve_by_hand(elsewhere.get(), path, O_PATH, resolve, 0)) ==
              outcome_of(by_the_kernel(elsewhere.get(), path, O_PATH, resolve)));
    }
}

TEST_CASE("resolving by hand makes files where openat2(2) would, and never through a link")
{
    const Tree tree;
    const auto make = [&](const char* path, int flags) {
        return outcome_of(sys::resolve_by_hand(tree.root.get(), path, static_cast<std::uint64_t>(flags | O_WRONLY),
                                               RESOLVE_IN_ROOT, 0600))
            .error_number;
    };
    CHECK(make("to-dir/new", O_CREAT | O_EXCL) == 0);
    CHECK(sys::stat_if_exists(tree.root.get(), "a/new")->st_mode == (S_IFREG | 0600));
    CHECK(make("to-dir/new", O_CREAT | O_EXCL) == EEXIST);
    CHECK(make("dangling", O_CREAT | O_EXCL) == EEXIST);
    CHECK(make("missing/new", O_CREAT) == ENOENT);
}

TEST_CASE("resolving by hand follows a link of procfs only if it is a plain one")
{
    const Fd proc = sys::open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);
    const auto resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (const char* path : {"self/mountinfo", "mounts", "self/exe", "self/cwd/x", "self/fd/0"}) {
        CAPTURE(path);
        CHECK(outcome_of(sys::resolve_by_hand(proc.get(), path, O_PATH, resolve, 0)) ==
              outcome_of(by_the_kernel(proc.get(), path, O_PATH, resolve)));
    }
}

TEST_CASE("resolving by hand stays on the mount that it began on")
{
    const Fd root = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    const auto resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV;
    CHECK(outcome_of(sys::resolve_by_hand(root.get(), "proc", O_PATH, resolve, 0)).error_number == EXDEV);
    CHECK(outcome_of(sys::resolve_by_hand(root.get(), "proc/self", O_PATH, resolve, 0)).error_number == EXDEV);
    CHECK(sys::resolve_by_hand(root.get(), "x", O_PATH, RESOLVE_CACHED, 0) == -1);
    CHECK(errno == EINVAL);
}

// SPDX-License-Identifier: Apache-2.0
#include "stage1/executable.hh"

#include <elf.h>
#include <sys/stat.h>

#include <cstring>

#include <doctest/doctest.h>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

// A 64-bit ELF file with, maybe, a PT_INTERP.
std::string elf(const std::string& interpreter, std::uint64_t interpreter_size)
{
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = interpreter.empty() ? 0 : 1;
    Elf64_Phdr segment{};
    segment.p_type = PT_INTERP;
    segment.p_offset = sizeof header + sizeof segment;
    segment.p_filesz = interpreter_size;
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
    bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    return bytes + interpreter + '\0';
}

struct Root {
    Scratch scratch;
    InRoot root{sys::duplicate(scratch.fd())};

    Root()
    {
        for (const char* dir : {"bin", "other", "home"})
            sys::make_dir(scratch.fd(), dir, 0755);
    }
    void add(const std::string& path, const std::string& content, mode_t mode = 0755)
    {
        file::write_new(scratch.fd(), path, content, mode);
    }
    Executable find(const std::string& what, const std::string& path = "/bin:/other", Identity who = {})
    {
        return find_executable(root, what, {.path = path, .working_directory = "/home", .who = std::move(who)});
    }
};

} // namespace

TEST_CASE("executable: as execvp in the app's root (APP-4, APP-6)")
{
    Root r;
    r.add("bin/static", elf("", 0));
    r.add("other/static", elf("", 0));
    r.add("other/late", elf("", 0));
    r.add("bin/late", elf("", 0), 0644); // remembered, but the search goes on
    r.add("home/here", elf("", 0));
    sys::make_symlink("/bin/static", r.scratch.fd(), "bin/link");
    struct {
        const char* what;
        const char* path;
        const char* found;
    } const rows[] = {
        {"static", "/bin:/other", "/bin/static"},
        {"static", "/other:/bin", "/other/static"},
        {"late", "/bin:/other", "/other/late"},
        {"/bin/static", "", "/bin/static"},
        {"./here", "/bin", "/home/./here"},
        {"here", "/bin::/other", "/home/here"},
        {"here", "", "/home/here"},
        {"link", "/bin", "/bin/link"},
        {"static", "../bin", "/home/../bin/static"},
    };
    for (const auto& row : rows) {
        CAPTURE(std::string{row.what});
        CAPTURE(std::string{row.path});
        const auto found = r.find(row.what, row.path);
        CHECK(found.problem == "");
        CHECK(found.path == row.found);
    }
}

TEST_CASE("executable: why it cannot be executed (internals 7.6)")
{
    Root r;
    r.add("bin/text", "hello");
    r.add("bin/empty", "");
    r.add("bin/noexec", elf("", 0), 0644);
    r.add("bin/script", "#!/bin/missing -x\n");
    r.add("bin/crlf", "#!/bin/sh\r\n");
    r.add("bin/long", "#!/" + std::string(300, 'x') + "\n");
    r.add("bin/dynamic", elf("/lib64/ld-linux.so", 18));
    r.add("bin/lies", elf("/lib64/ld-linux.so", UINT64_MAX)); // sizes beyond the end
    r.add("bin/loop-script", "#!/bin/loop-script\n");
    sys::make_symlink("loop", r.scratch.fd(), "bin/loop");
    sys::make_symlink("/nowhere", r.scratch.fd(), "bin/dangling");
    REQUIRE(::mkfifoat(r.scratch.fd(), "bin/fifo", 0755) == 0);
    struct {
        const char* what;
        const char* says;
    } const rows[] = {
        {"/bin/none", "\"/bin/none\" does not exist"},
        {"none", "in none of the directories"},
        {"/bin/text", "neither a program nor a script"},
        {"/bin/empty", "neither a program nor a script"},
        {"/bin/noexec", "may not be executed by user 0 (mode 0644"},
        {"noexec", "may not be executed"},
        {"/bin/script", "needs an interpreter: \"/bin/missing\" does not exist"},
        {"/bin/crlf", "\"/bin/sh\\r\" does not exist"},
        {"/bin/long", "neither a program nor a script"},
        {"/bin/dynamic", "needs an interpreter: \"/lib64/ld-linux.so\" does not exist"},
        {"/bin/lies", "needs an interpreter: \"/lib64/ld-linux.so\" does not exist"},
        {"/bin/loop-script", "too many interpreters"},
        {"/bin/loop", "Too many levels of symbolic links"},
        {"/bin/dangling", "does not exist"},
        {"/bin/fifo", "is not a regular file"},
        {"/bin", "is not a regular file"},
        {"", "is empty"},
        {"../../../../../../bin/sh", "does not exist"}, // there is one outside
    };
    for (const auto& row : rows) {
        CAPTURE(std::string{row.what});
        const auto found = r.find(row.what);
        CAPTURE(found.problem);
        CHECK(found.problem.find(row.says) != std::string::npos);
    }
}

TEST_CASE("executable: permission by the app's user, not ours")
{
    struct stat file {
    };
    file.st_uid = 10;
    file.st_gid = 20;
    struct {
        Identity who;
        mode_t mode;
        bool may;
    } const rows[] = {
        {{0, 0, {}}, 0100, true},    {{0, 0, {}}, 0644, false}, {{10, 1, {}}, 0100, true},
        {{10, 20, {}}, 0011, false}, {{1, 20, {}}, 0010, true}, {{1, 1, {20}}, 0010, true},
        {{1, 1, {20}}, 0101, false}, {{1, 1, {}}, 0001, true},  {{1, 1, {}}, 0110, false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.who.uid);
        CAPTURE(row.mode);
        file.st_mode = S_IFREG | row.mode;
        CHECK(may_execute(file, row.who) == row.may);
    }
}

TEST_CASE("executable: the first line of a script, as the kernel reads it")
{
    CHECK(script_interpreter("#!/bin/sh\nx") == "/bin/sh");
    CHECK(script_interpreter("#! \t/usr/bin/env -S x\n") == "/usr/bin/env");
    CHECK(script_interpreter("#!/bin/sh") == "/bin/sh");
    CHECK(script_interpreter("#!") == "");
    CHECK(script_interpreter("#!   ") == "");
    CHECK(script_interpreter("/bin/sh") == "");
    CHECK(script_interpreter("#!" + std::string(260, '/')) == "");
}

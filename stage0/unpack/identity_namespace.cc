// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/identity_namespace.hh"

#include <sched.h>
#include <unistd.h>

#include <csignal>

#include "common/sys/file.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket::unpack
{

namespace
{

// The first process of the namespace, which exists until somebody else is in it.
[[noreturn]] void be_first(int ready)
{
    const char made = ::unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
    if (::write(ready, &made, 1) == 1)
        ::pause();
    ::_exit(1);
}

// Every range of ours onto itself: all there are on a host, fewer inside a container. Lines of "inside outside count".
std::string identity_of(const std::string& map)
{
    std::string identity;
    for (const auto& line : text::split(map, '\n')) {
        std::vector<std::string> words;
        for (auto& word : text::split(line, ' '))
            if (!word.empty())
                words.push_back(std::move(word));
        if (words.size() == 3)
            identity += fmt::format("{} {} {}\n", words[0], words[0], words[2]);
    }
    return identity;
}

void write_map(int process, const char* name)
{
    const auto ours = file::read(AT_FDCWD, std::string{"/proc/self/"} + name);
    sys::write_all(sys::open(process, name, O_WRONLY).get(), identity_of(ours));
}

} // namespace

Fd make_identity_namespace()
{
    auto ready = sys::make_pipe();
    const pid_t pid = sys::check([] { return ::fork(); }, "starting a process");
    if (pid == 0)
        be_first(ready.write.get());
    auto pidfd = open_pidfd(pid);
    const Process first{pid, pidfd ? std::move(*pidfd) : Fd{}}; // ended when we leave
    ready.write.reset();
    char made = 'n';
    if (sys::read_some(ready.read.get(), &made, 1) != 1 || made != 'y')
        fail(Error::Kind::system, "the kernel makes no user namespace");
    const auto process = sys::open(AT_FDCWD, fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY);
    write_map(process.get(), "uid_map");
    write_map(process.get(), "gid_map");
    return sys::open(process.get(), "ns/user", O_RDONLY);
}

} // namespace rocket::unpack

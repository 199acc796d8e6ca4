// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/sealed.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Fd make_executable_memfd()
{
#ifdef MFD_EXEC
    constexpr unsigned executable = MFD_EXEC;
#else
    constexpr unsigned executable = 0x10U; // sys/mman.h of glibc 2.37
#endif
    Fd fd{::memfd_create("rocket-enter", MFD_CLOEXEC | MFD_ALLOW_SEALING | executable)};
    if (!fd && errno == EINVAL) // older kernels: every memfd is executable
        fd.reset(::memfd_create("rocket-enter", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd)
        throw system_error(errno, "making a copy of the program in memory");
    return fd;
}

} // namespace

void continue_in_sealed_copy(char* const* argv)
{
    const auto self = sys::open(AT_FDCWD, "/proc/self/exe", O_RDONLY);
    if (::fcntl(self.get(), F_GET_SEALS) == all_seals) // only a memfd has any
        return;
    const auto copy = make_executable_memfd();
    while (sys::check([&] { return ::sendfile(copy.get(), self.get(), nullptr, std::size_t{1} << 30); },
                      "copying the program into memory") > 0) {
    }
    sys::check([&] { return ::fcntl(copy.get(), F_ADD_SEALS, all_seals); }, "sealing the copy of the program");
    sys::check([&] { return ::syscall(SYS_execveat, copy.get(), "", argv, environ, AT_EMPTY_PATH); },
               "executing the copy of the program");
}

} // namespace rocket::stage1

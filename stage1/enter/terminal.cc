// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/terminal.hh"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t chunk = 16384;

void check_is_ptmx(int fd)
{
    const auto info = sys::stat(fd);
    struct statfs file_system {
    };
    sys::check([&] { return ::fstatfs(fd, &file_system); }, "looking at /dev/pts/ptmx");
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2) ||
        static_cast<unsigned long>(file_system.f_type) != DEVPTS_SUPER_MAGIC)
        fail(Error::Kind::unsupported, "/dev/pts/ptmx of the app is not one: no terminal can be had");
}

// Our output is where the terminal is; input may be something else.
int our_terminal()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::isatty(fd) != 0)
            return fd;
    return -1;
}

void write_out(const char* bytes, std::size_t size)
{
    const int out = ::isatty(STDOUT_FILENO) != 0 ? STDOUT_FILENO : our_terminal();
    sys::write_all(out, {bytes, size});
}

} // namespace

Pty open_pod_pty(std::uint32_t uid)
{
    constexpr std::uint64_t plainly = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    check_is_ptmx(sys::open_resolved(AT_FDCWD, "/dev/pts/ptmx", O_PATH, plainly).get()); // opening is an act
    Pty pty{.master = sys::open_resolved(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, plainly),
            .slave = {}};
    check_is_ptmx(pty.master.get());
    const int unlocked = 0;
    sys::check([&] { return ::ioctl(pty.master.get(), TIOCSPTLCK, &unlocked); }, "unlocking a terminal");
    pty.slave = Fd{sys::check([&] { return ::ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); },
                              "opening a terminal")}; // by its master, not by a name
    sys::check([&] { return ::fchown(pty.slave.get(), uid, static_cast<gid_t>(-1)); }, "giving the terminal to user {}",
               uid);
    return pty;
}

TerminalRelay::TerminalRelay(Fd master) : master_{std::move(master)}, reads_input_{::isatty(STDIN_FILENO) != 0}
{
    sys::set_nonblocking(master_.get(), true);
    copy_window_size();
    termios now{};
    if (!reads_input_ || ::tcgetattr(STDIN_FILENO, &now) != 0)
        return;
    before_ = now;
    ::cfmakeraw(&now);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

TerminalRelay::~TerminalRelay()
{
    if (before_)
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

void TerminalRelay::copy_window_size() const noexcept
{
    winsize size{};
    if (::ioctl(our_terminal(), TIOCGWINSZ, &size) == 0)
        ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void TerminalRelay::read_input()
{
    char buffer[chunk];
    const auto got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got > 0)
        to_pod_.assign(buffer, static_cast<std::size_t>(got));
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        reads_input_ = false;
}

void TerminalRelay::write_to_pod()
{
    const auto put = ::write(master_.get(), to_pod_.data(), to_pod_.size());
    if (put > 0)
        to_pod_.erase(0, static_cast<std::size_t>(put));
    else if (put < 0 && errno != EINTR && errno != EAGAIN)
        to_pod_.clear(); // nobody reads any more
}

bool TerminalRelay::write_output()
{
    char buffer[chunk];
    const auto got = ::read(master_.get(), buffer, sizeof buffer);
    if (got > 0)
        write_out(buffer, static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)); // EIO: nobody has it open
}

void TerminalRelay::drain() noexcept
{
    try {
        for (;;) {
            pollfd ready{.fd = master_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, 0) <= 0 || (ready.revents & POLLIN) == 0 || !write_output())
                return;
        }
    } catch (const Error&) { // our terminal is gone
    }
}

} // namespace rocket::stage1

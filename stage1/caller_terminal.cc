// SPDX-License-Identifier: Apache-2.0
#include "stage1/caller_terminal.hh"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr char escape_key = 0x1d; // ^]
constexpr std::int64_t escape_window_usec = 1'000'000;
constexpr std::size_t chunk = 16U << 10U;

// What is there now; empty at the end, or when there is nothing.
std::string read_available(int fd)
{
    std::string bytes(chunk, '\0');
    const auto size = ::read(fd, bytes.data(), bytes.size());
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
}

} // namespace

bool EscapeSequence::typed(std::string_view keys, std::int64_t monotonic_usec)
{
    for (const char key : keys) {
        if (key != escape_key) {
            previous_ = {-1, -1};
            continue;
        }
        if (previous_[0] >= 0 && monotonic_usec - previous_[0] <= escape_window_usec)
            return true;
        previous_ = {previous_[1], monotonic_usec};
    }
    return false;
}

CallerTerminal::CallerTerminal(EventLoop& loop, Fd master, std::function<void()> escape)
    : loop_{loop}, master_{std::move(master)}, writer_{sys::duplicate(master_.get())}, output_{loop, STDOUT_FILENO},
      escape_{std::move(escape)}
{
    keep_open_ = Fd{sys::check([&] { return ::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); },
                               "opening the pod's terminal")};
    sys::check([&] { return ::tcgetattr(STDIN_FILENO, &saved_); }, "reading the mode of the terminal");
    sys::set_nonblocking(master_.get(), true);
    copy_size();
    ::tcsetattr(keep_open_.get(), TCSANOW, &saved_); // the app starts with the modes that the caller has
    auto raw = saved_;
    ::cfmakeraw(&raw);
    sys::check([&] { return ::tcsetattr(STDIN_FILENO, TCSANOW, &raw); }, "setting the mode of the terminal");

    typed_ = loop_.on_io(STDIN_FILENO, EPOLLIN, [this](std::uint32_t) { on_key(); });
    readable_ = loop_.on_io(master_.get(), EPOLLIN, [this](std::uint32_t) { on_output(); });
    resized_ = loop_.on_signal(SIGWINCH, [this](std::uint32_t) { copy_size(); });
}

CallerTerminal::~CallerTerminal()
{
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
}

void CallerTerminal::copy_size() const noexcept
{
    winsize size{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void CallerTerminal::on_key()
{
    const auto keys = read_available(STDIN_FILENO);
    if (keys.empty()) { // the terminal is gone; SIGHUP will say more
        typed_.reset();
        return;
    }
    if (sequence_.typed(keys, sys::monotonic_usec())) {
        escape_();
        return;
    }
    keys_ += keys;
    if (!write_keys()) {
        typed_.set_enabled(false); // who types faster than the app reads, waits
        writable_ = loop_.on_io(writer_.get(), EPOLLOUT, [this](std::uint32_t) {
            if (write_keys()) {
                writable_.reset();
                typed_.set_enabled(true);
            }
        });
    }
}

bool CallerTerminal::write_keys()
{
    while (!keys_.empty()) {
        const auto written = ::write(writer_.get(), keys_.data(), keys_.size());
        if (written > 0)
            keys_.erase(0, static_cast<std::size_t>(written));
        else if (errno == EAGAIN)
            return false;
        else if (errno != EINTR)
            keys_.clear();
    }
    return true;
}

void CallerTerminal::on_output()
{
    held_ += read_available(master_.get());
    held_.erase(0, output_.write(held_, [this] {
        readable_.set_enabled(true);
        on_output();
    }));
    if (!held_.empty())
        readable_.set_enabled(false);
}

void CallerTerminal::finish()
{
    readable_.reset();
    for (auto bytes = read_available(master_.get()); !bytes.empty(); bytes = read_available(master_.get()))
        held_ += bytes;
    sys::set_nonblocking(master_.get(), false);
    // A person looks at it: there is nothing to wait for but the terminal itself.
    while (!held_.empty()) {
        const auto written = ::write(STDOUT_FILENO, held_.data(), held_.size());
        if (written < 0 && errno != EINTR)
            return;
        held_.erase(0, written > 0 ? static_cast<std::size_t>(written) : 0);
    }
}

} // namespace rocket::stage1

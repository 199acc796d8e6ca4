// SPDX-License-Identifier: Apache-2.0
#include "stage1/output.hh"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

Output::Output(EventLoop& loop, int fd) : loop_{loop}, fd_{fd}, terminal_{::isatty(fd) == 1}
{
    struct stat info {
    };
    if (::fstat(fd, &info) != 0) {
        gone_ = true;
    } else if (S_ISSOCK(info.st_mode)) {
        kind_ = Kind::socket;
    } else if (S_ISFIFO(info.st_mode) || terminal_) {
        own_ = Fd{::open(sys::proc_path(fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
        if (own_) {
            kind_ = Kind::nonblocking;
            fd_ = own_.get();
        }
    }
}

const char* Output::line_end() const noexcept
{
    termios modes{};
    const bool adds_cr = ::tcgetattr(fd_, &modes) == 0 && (modes.c_oflag & OPOST) != 0 && (modes.c_oflag & ONLCR) != 0;
    return adds_cr ? "\n" : "\r\n";
}

ssize_t Output::write_once(std::string_view bytes) const noexcept
{
    if (kind_ == Kind::socket)
        return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return ::write(fd_, bytes.data(), bytes.size());
}

std::size_t Output::write(std::string_view bytes, const std::function<void()>& resume)
{
    std::size_t done = 0;
    while (!gone_ && done < bytes.size()) {
        const auto written = write_once(bytes.substr(done));
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno == EAGAIN) {
            if (waiting_.empty())
                writable_ = loop_.on_io(fd_, EPOLLOUT, [this](std::uint32_t) { on_writable(); });
            waiting_.push_back(resume);
            return done;
        } else if (errno != EINTR) {
            gone_ = true;
            if (errno != EPIPE && errno != EIO) // nobody reads any more, or the terminal was hung up
                log::print("warning: the rest of the output is in the pod's journal only: {}", std::strerror(errno));
        }
    }
    return bytes.size();
}

void Output::on_writable()
{
    writable_.reset();
    for (const auto& resume : std::exchange(waiting_, {}))
        resume();
}

} // namespace rocket::stage1

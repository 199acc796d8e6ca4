// SPDX-License-Identifier: Apache-2.0
#include "common/sys/sys.hh"

#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <ctime>
#include <span>

#include "common/sys/resolve.hh"

namespace rocket::sys
{

namespace
{

bool is_absence(int error_number)
{
    return error_number == ENOENT || error_number == ENOTDIR;
}

int openat2_retrying(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve, mode_t mode)
{
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = resolve;
    how.mode = mode;
    for (int attempt = 0;; ++attempt) {
        const auto fd = static_cast<int>(::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how));
        if (fd < 0 && errno == ENOSYS)
            return resolve_by_hand(dir, path, flags, resolve, mode);
        if (fd >= 0 || (errno != EINTR && (errno != EAGAIN || attempt >= 64)))
            return fd;
    }
}

std::int64_t clock_in_nsec(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

} // namespace

Fd open(int dir, const std::string& path, int flags, mode_t mode)
{
    return Fd{
        check([&] { return ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode); }, "opening {}", text::quoted(path))};
}

std::optional<Fd> open_if_exists(int dir, const std::string& path, int flags)
{
    Fd fd{::openat(dir, path.c_str(), flags | O_CLOEXEC)};
    if (fd)
        return fd;
    if (is_absence(errno))
        return std::nullopt;
    if (errno == EINTR)
        return open(dir, path, flags);
    throw system_error(errno, fmt::format("opening {}", text::quoted(path)));
}

Fd open_resolved(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve, mode_t mode)
{
    return Fd{
        check([&] { return openat2_retrying(dir, path, flags, resolve, mode); }, "opening {}", text::quoted(path))};
}

std::optional<Fd> open_resolved_if_exists(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve)
{
    Fd fd{openat2_retrying(dir, path, flags, resolve, 0)};
    if (fd)
        return fd;
    if (is_absence(errno))
        return std::nullopt;
    throw system_error(errno, fmt::format("opening {}", text::quoted(path)));
}

Fd duplicate(int fd)
{
    return Fd{check([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 3); }, "duplicating descriptor {}", fd)};
}

Pipe make_pipe(int flags)
{
    std::array<int, 2> ends{};
    check([&] { return ::pipe2(ends.data(), flags | O_CLOEXEC); }, "making a pipe");
    return {Fd{ends[0]}, Fd{ends[1]}};
}

SocketPair make_socket_pair(int type)
{
    std::array<int, 2> ends{};
    check([&] { return ::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()); }, "making a socket pair");
    return {Fd{ends[0]}, Fd{ends[1]}};
}

Fd make_memfd(const std::string& name, unsigned flags)
{
    return Fd{check([&] { return ::memfd_create(name.c_str(), flags | MFD_CLOEXEC); }, "making a memory file")};
}

struct stat stat(int fd)
{
    struct stat info {
    };
    check([&] { return ::fstat(fd, &info); }, "reading the attributes of descriptor {}", fd);
    return info;
}

struct stat stat_at(int dir, const std::string& path, int flags)
{
    struct stat info {
    };
    check([&] { return ::fstatat(dir, path.c_str(), &info, flags); }, "reading the attributes of {}",
          text::quoted(path));
    return info;
}

std::optional<struct stat> stat_if_exists(int dir, const std::string& path, int flags)
{
    struct stat info {
    };
    if (::fstatat(dir, path.c_str(), &info, flags) == 0)
        return info;
    if (is_absence(errno))
        return std::nullopt;
    throw system_error(errno, fmt::format("reading the attributes of {}", text::quoted(path)));
}

std::string read_link(int dir, const std::string& path)
{
    std::string target(PATH_MAX, '\0');
    const auto size = check([&] { return ::readlinkat(dir, path.c_str(), target.data(), target.size()); },
                            "reading the link {}", text::quoted(path));
    target.resize(static_cast<std::size_t>(size));
    return target;
}

void make_dir(int dir, const std::string& path, mode_t mode)
{
    check([&] { return ::mkdirat(dir, path.c_str(), mode); }, "making directory {}", text::quoted(path));
}

bool make_dir_if_missing(int dir, const std::string& path, mode_t mode)
{
    if (::mkdirat(dir, path.c_str(), mode) == 0)
        return true;
    if (errno == EEXIST)
        return false;
    throw system_error(errno, fmt::format("making directory {}", text::quoted(path)));
}

void make_dirs(const std::string& path, mode_t mode)
{
    for (auto end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
        make_dir_if_missing(AT_FDCWD, path.substr(0, end), mode);
    make_dir_if_missing(AT_FDCWD, path, mode);
}

void make_symlink(const std::string& target, int dir, const std::string& path)
{
    check([&] { return ::symlinkat(target.c_str(), dir, path.c_str()); }, "making link {}", text::quoted(path));
}

void unlink(int dir, const std::string& path, int flags)
{
    check([&] { return ::unlinkat(dir, path.c_str(), flags); }, "removing {}", text::quoted(path));
}

bool unlink_if_exists(int dir, const std::string& path, int flags)
{
    if (::unlinkat(dir, path.c_str(), flags) == 0)
        return true;
    if (is_absence(errno))
        return false;
    throw system_error(errno, fmt::format("removing {}", text::quoted(path)));
}

void rename(int from_dir, const std::string& from, int to_dir, const std::string& to)
{
    check([&] { return ::renameat(from_dir, from.c_str(), to_dir, to.c_str()); }, "renaming {} to {}",
          text::quoted(from), text::quoted(to));
}

bool rename_no_replace(int from_dir, const std::string& from, int to_dir, const std::string& to)
{
    if (::renameat2(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST || errno == ENOTEMPTY)
        return false;
    throw system_error(errno, fmt::format("renaming {} to {}", text::quoted(from), text::quoted(to)));
}

void fsync(int fd)
{
    check([&] { return ::fsync(fd); }, "writing descriptor {} to disk", fd);
}

void syncfs(int fd)
{
    check([&] { return ::syncfs(fd); }, "writing the file system to disk");
}

void write_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto written = check([&] { return ::write(fd, bytes.data(), bytes.size()); }, "writing");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::size_t read_some(int fd, char* buffer, std::size_t size)
{
    return static_cast<std::size_t>(check([&] { return ::read(fd, buffer, size); }, "reading"));
}

std::string read_to_end(int fd, std::size_t limit)
{
    std::string content;
    std::array<char, 16384> buffer;
    while (const auto size = read_some(fd, buffer.data(), buffer.size())) {
        content.append(buffer.data(), size);
        if (content.size() > limit)
            fail(Error::Kind::corrupt, "larger than {} bytes", limit);
    }
    return content;
}

void set_cloexec(int fd, bool on)
{
    check([&] { return ::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }, "setting close-on-exec of descriptor {}", fd);
}

void set_nonblocking(int fd, bool on)
{
    const int flags = check([&] { return ::fcntl(fd, F_GETFL); }, "reading the flags of descriptor {}", fd);
    const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    check([&] { return ::fcntl(fd, F_SETFL, wanted); }, "setting the flags of descriptor {}", fd);
}

std::string proc_path(int fd)
{
    return fmt::format("/proc/self/fd/{}", fd);
}

std::int64_t monotonic_usec()
{
    return clock_in_nsec(CLOCK_MONOTONIC) / 1000;
}

std::int64_t realtime_nsec()
{
    return clock_in_nsec(CLOCK_REALTIME);
}

void random_bytes(void* buffer, std::size_t size)
{
    auto* next = static_cast<char*>(buffer);
    while (size > 0) {
        const auto got =
            static_cast<std::size_t>(check([&] { return ::getrandom(next, size, 0); }, "getting random bytes"));
        next += got;
        size -= got;
    }
}

std::string random_name()
{
    std::array<std::uint8_t, 8> bytes{};
    random_bytes(bytes.data(), bytes.size());
    return text::hex(bytes);
}

} // namespace rocket::sys

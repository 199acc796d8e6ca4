// SPDX-License-Identifier: Apache-2.0
// One function per system call that Rocket uses: takes and returns our types, always close-on-exec, retried after
// EINTR, and on failure an Error that names the operands. A path argument is relative to the descriptor before it
// (AT_FDCWD where the caller means the working directory).
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"
#include "common/sys/text.hh"

namespace rocket::sys
{

// Calls until not interrupted; on failure throws, with the formatted text and the system's reason.
template <typename Call, typename... Operand>
auto check(Call call, fmt::format_string<Operand...> doing, Operand&&... operand)
{
    auto result = call();
    while (result == -1 && errno == EINTR)
        result = call();
    if (result == -1) {
        const int why = errno; // before formatting can change it
        throw system_error(why, fmt::format(doing, std::forward<Operand>(operand)...));
    }
    return result;
}

Fd open(int dir, const std::string& path, int flags, mode_t mode = 0);
// As open(), but "not there" (ENOENT, ENOTDIR) is an ordinary answer.
std::optional<Fd> open_if_exists(int dir, const std::string& path, int flags);
// openat2(2) with RESOLVE_* flags; EAGAIN (a rename raced with "..") is retried.
Fd open_resolved(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve, mode_t mode = 0);
std::optional<Fd> open_resolved_if_exists(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve);
Fd duplicate(int fd);

struct Pipe {
    Fd read;
    Fd write;
};
Pipe make_pipe(int flags = 0); // O_CLOEXEC is always added
struct SocketPair {
    Fd first;
    Fd second;
};
SocketPair make_socket_pair(int type);
Fd make_memfd(const std::string& name, unsigned flags = 0);

struct stat stat(int fd);
struct stat stat_at(int dir, const std::string& path, int flags = AT_SYMLINK_NOFOLLOW);
std::optional<struct stat> stat_if_exists(int dir, const std::string& path, int flags = AT_SYMLINK_NOFOLLOW);
std::string read_link(int dir, const std::string& path);

void make_dir(int dir, const std::string& path, mode_t mode);            // fails if it exists
bool make_dir_if_missing(int dir, const std::string& path, mode_t mode); // true if it was made
void make_dirs(const std::string& path, mode_t mode);                    // with parents; a trusted absolute path
void make_symlink(const std::string& target, int dir, const std::string& path);
void unlink(int dir, const std::string& path, int flags = 0);
bool unlink_if_exists(int dir, const std::string& path, int flags = 0);
void rename(int from_dir, const std::string& from, int to_dir, const std::string& to);
// renameat2(RENAME_NOREPLACE); false if the target exists.
bool rename_no_replace(int from_dir, const std::string& from, int to_dir, const std::string& to);
void fsync(int fd);
void syncfs(int fd);

void write_all(int fd, std::string_view bytes);
// Up to size bytes; 0 at the end of the file.
std::size_t read_some(int fd, char* buffer, std::size_t size);
std::string read_to_end(int fd, std::size_t limit); // Kind::corrupt when there is more than `limit`

void set_cloexec(int fd, bool on);
void set_nonblocking(int fd, bool on);
// /proc/self/fd/N: for the few interfaces that take a path only (connect(2), inotify, execve of a memfd).
std::string proc_path(int fd);
std::int64_t monotonic_usec();
std::int64_t realtime_nsec();
void random_bytes(void* buffer, std::size_t size);
std::string random_name(); // 16 lower-case hex digits

} // namespace rocket::sys

// SPDX-License-Identifier: Apache-2.0
#include "common/sys/file.hh"

#include <dirent.h>

#include <algorithm>
#include <memory>

#include "common/sys/sys.hh"

namespace rocket::file
{

namespace
{

std::string read_regular(const Fd& fd, const std::string& path, std::size_t limit)
{
    const auto info = sys::stat(fd.get());
    if (!S_ISREG(info.st_mode))
        fail(Error::Kind::corrupt, "{} is not a regular file", text::quoted(path));
    if (info.st_size > 0 && static_cast<std::size_t>(info.st_size) > limit) // names the file in the innermost cause
        fail(Error::Kind::corrupt, "{} is larger than {} bytes", text::quoted(path), limit);
    return with_context(fmt::format("reading {}", text::quoted(path)),
                        [&] { return sys::read_to_end(fd.get(), limit); });
}

constexpr int careful = O_RDONLY | O_NONBLOCK | O_NOCTTY;

void write_through_rename(int dir, const std::string& name, std::string_view content, mode_t mode, bool to_disk)
{
    const auto temporary = fmt::format(".{}.{}", name, sys::random_name());
    try {
        const auto fd = sys::open(dir, temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);
        sys::check([&] { return ::fchmod(fd.get(), mode); }, "setting the mode of {}", text::quoted(name));
        sys::write_all(fd.get(), content);
        if (to_disk)
            sys::fsync(fd.get());
        sys::rename(dir, temporary, dir, name);
    } catch (Error& error) {
        ::unlinkat(dir, temporary.c_str(), 0); // may be gone or never made; the error that matters is the first
        error.add_context(fmt::format("writing {}", text::quoted(name)));
        throw;
    }
    if (to_disk)
        sys::fsync(dir);
}

std::vector<std::string> list_directory(Fd fd, const std::string& path)
{
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(fd.get()), ::closedir};
    if (!stream)
        throw system_error(errno, fmt::format("reading directory {}", text::quoted(path)));
    [[maybe_unused]] const int owned_by_stream = fd.release();
    std::vector<std::string> names;
    errno = 0;
    while (const auto* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            names.emplace_back(name);
        errno = 0;
    }
    if (errno != 0)
        throw system_error(errno, fmt::format("reading directory {}", text::quoted(path)));
    std::ranges::sort(names);
    return names;
}

} // namespace

std::string read(int dir, const std::string& path, std::size_t limit)
{
    return read_regular(sys::open(dir, path, careful), path, limit);
}

std::optional<std::string> read_if_exists(int dir, const std::string& path, std::size_t limit)
{
    const auto fd = sys::open_if_exists(dir, path, careful);
    if (!fd)
        return std::nullopt;
    return read_regular(*fd, path, limit);
}

std::vector<std::string> list(int dir, const std::string& path)
{
    return list_directory(sys::open(dir, path, O_RDONLY | O_DIRECTORY), path);
}

std::optional<std::vector<std::string>> list_if_exists(int dir, const std::string& path)
{
    auto fd = sys::open_if_exists(dir, path, O_RDONLY | O_DIRECTORY);
    if (!fd)
        return std::nullopt;
    return list_directory(std::move(*fd), path);
}

void write_atomic(int dir, const std::string& name, std::string_view content, mode_t mode)
{
    write_through_rename(dir, name, content, mode, true);
}

void write_volatile(int dir, const std::string& name, std::string_view content, mode_t mode)
{
    write_through_rename(dir, name, content, mode, false);
}

void write_new(int dir, const std::string& name, std::string_view content, mode_t mode)
{
    const auto fd = sys::open(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);
    sys::check([&] { return ::fchmod(fd.get(), mode); }, "setting the mode of {}", text::quoted(name));
    with_context(fmt::format("writing {}", text::quoted(name)), [&] {
        sys::write_all(fd.get(), content);
        sys::fsync(fd.get());
    });
}

} // namespace rocket::file

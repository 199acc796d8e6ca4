// SPDX-License-Identifier: Apache-2.0
#include "common/sys/file.hh"

#include "common/sys/sys.hh"

namespace rocket::file
{

namespace
{

std::string read_regular(const Fd& fd, const std::string& path, std::size_t limit)
{
    if (!S_ISREG(sys::stat(fd.get()).st_mode))
        fail(Error::Kind::corrupt, "{} is not a regular file", text::quoted(path));
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

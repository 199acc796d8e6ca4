// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/new_file.hh"

#include <unistd.h>

#include "common/sys/sys.hh"

namespace rocket::cli
{

namespace
{

struct Place {
    std::string directory;
    std::string name;
};

Place split(const std::string& path)
{
    const auto slash = path.rfind('/');
    if (slash == path.npos)
        return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

} // namespace

void write_new_file(const std::string& path, bool overwrite, const std::string& exists,
                    const std::function<void(int file)>& write)
{
    const auto place = split(path);
    const auto directory = sys::open(AT_FDCWD, place.directory, O_RDONLY | O_DIRECTORY);
    const auto temporary = fmt::format(".{}.{}", place.name.substr(0, 200), sys::random_name());
    try {
        const auto file = sys::open(directory.get(), temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644);
        sys::check([&] { return ::fchmod(file.get(), 0644); }, "setting the mode of {}", text::quoted(path));
        write(file.get());
        sys::fsync(file.get());
        if (overwrite)
            sys::rename(directory.get(), temporary, directory.get(), place.name);
        else if (!sys::rename_no_replace(directory.get(), temporary, directory.get(), place.name))
            fail(Error::Kind::usage, "{}", exists);
    } catch (...) {
        ::unlinkat(directory.get(), temporary.c_str(), 0); // may never have been made; the first error matters
        throw;
    }
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/output_directory.hh"

#include <filesystem>

#include "common/sys/remove.hh"
#include "common/sys/sys.hh"

namespace rocket::cli
{

namespace
{

namespace fs = std::filesystem;

[[noreturn]] void fail_exists()
{
    fail(Error::Kind::usage, "output directory exists (try --overwrite)");
}

// Links on the way are the user's own and are followed, the last component's too: that is the directory meant.
fs::path resolve(const std::string& path)
{
    std::error_code problem;
    auto resolved = fs::weakly_canonical(fs::absolute(path), problem);
    if (problem)
        throw system_error(problem.value(), fmt::format("looking up {}", text::quoted(path)));
    return resolved.has_filename() ? resolved : resolved.parent_path();
}

} // namespace

OutputDirectory::OutputDirectory(const std::string& path, bool overwrite) : path_{path}, overwrite_{overwrite}
{
    const auto resolved = resolve(path);
    if (!resolved.has_filename())
        fail(Error::Kind::usage, "this would delete your root filesystem. Refusing.");
    parent_ = sys::open(AT_FDCWD, resolved.parent_path().string(), O_RDONLY | O_DIRECTORY);
    name_ = resolved.filename().string();
    if (const auto there = sys::stat_if_exists(parent_.get(), name_)) {
        if (!overwrite)
            fail_exists();
        if (!S_ISDIR(there->st_mode))
            fail(Error::Kind::usage, "{} is not a directory", text::quoted(path));
    }
    temporary_ = fmt::format(".{}.{}", name_.substr(0, 200), sys::random_name());
}

OutputDirectory::~OutputDirectory()
{
    try {
        remove_tree(parent_.get(), temporary_);
    } catch (const Error&) { // the error that brought us here matters more
    }
}

Fd OutputDirectory::make() const
{
    sys::make_dir(parent(), temporary_, 0700);
    auto directory = sys::open(parent(), temporary_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    sys::check([&] { return ::fchmod(directory.get(), 0755); }, "setting the mode of {}", text::quoted(path_));
    return directory;
}

void OutputDirectory::publish()
{
    if (sys::rename_no_replace(parent(), temporary_, parent(), name_))
        return;
    if (!overwrite_)
        fail_exists();
    sys::check([&] { return ::renameat2(parent(), temporary_.c_str(), parent(), name_.c_str(), RENAME_EXCHANGE); },
               "replacing {}", text::quoted(path_));
}

} // namespace rocket::cli

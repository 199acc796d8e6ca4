// SPDX-License-Identifier: Apache-2.0
#include "stage1/executable.hh"

#include <elf.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t script_line = 256; // BINPRM_BUF_SIZE: what the kernel looks at
constexpr std::size_t longest_path = 4096;
constexpr int deepest = 5; // interpreters of interpreters, as the kernel counts
constexpr std::size_t most_segments = 256;

// Up to `size` bytes; fewer at the end of the file.
std::string read_at(int fd, std::uint64_t offset, std::size_t size)
{
    std::string bytes(size, '\0');
    const auto got = ::pread(fd, bytes.data(), size, static_cast<off_t>(offset));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

template <typename Struct>
std::optional<Struct> as(std::string_view bytes)
{
    Struct value;
    if (bytes.size() < sizeof value)
        return std::nullopt;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

// PT_INTERP of an ELF file of our byte order: nullopt if it has none.
template <typename Header, typename Segment>
std::optional<std::string> elf_interpreter(int fd)
{
    const auto header = as<Header>(read_at(fd, 0, sizeof(Header)));
    if (!header || header->e_phentsize != sizeof(Segment))
        return std::nullopt;
    const auto count = std::min<std::size_t>(header->e_phnum, most_segments);
    const auto table = read_at(fd, header->e_phoff, count * sizeof(Segment));
    for (std::size_t i = 0; i < count; ++i) {
        const auto segment = as<Segment>(std::string_view{table}.substr(std::min(table.size(), i * sizeof(Segment))));
        if (!segment || segment->p_type != PT_INTERP)
            continue;
        const auto path = read_at(fd, segment->p_offset, std::min<std::size_t>(segment->p_filesz, longest_path));
        return path.substr(0, path.find('\0'));
    }
    return std::nullopt;
}

struct Format {
    bool known = false;
    std::string interpreter; // empty: needs none
};

Format format_of(int fd)
{
    const auto head = read_at(fd, 0, script_line);
    if (head.starts_with("#!")) {
        auto interpreter = script_interpreter(head);
        const bool usable = !interpreter.empty();
        return {.known = usable, .interpreter = std::move(interpreter)};
    }
    if (!head.starts_with(ELFMAG) || head.size() <= EI_CLASS)
        return {};
    const auto interpreter = head[EI_CLASS] == ELFCLASS64 ? elf_interpreter<Elf64_Ehdr, Elf64_Phdr>(fd)
                                                          : elf_interpreter<Elf32_Ehdr, Elf32_Phdr>(fd);
    return {.known = true, .interpreter = interpreter.value_or("")};
}

std::string absolute(const std::string& path, const std::string& working_directory)
{
    if (path.starts_with('/'))
        return path;
    return working_directory + (working_directory.ends_with('/') ? "" : "/") + path;
}

std::string problem_of(const InRoot& root, const std::string& path, const Search& search, int depth);

std::string problem_of_content(const InRoot& root, const Fd& place, const std::string& path, const Search& search,
                               int depth)
{
    const auto file = sys::open(AT_FDCWD, sys::proc_path(place.get()), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    const auto format = format_of(file.get());
    if (!format.known)
        return fmt::format("{} is neither a program nor a script that begins with a usable \"#!\" line",
                           text::quoted(path));
    if (format.interpreter.empty())
        return {};
    if (depth >= deepest)
        return fmt::format("{} has too many interpreters of interpreters", text::quoted(path));
    const auto inner = problem_of(root, absolute(format.interpreter, search.working_directory), search, depth + 1);
    return inner.empty() ? inner : fmt::format("{} needs an interpreter: {}", text::quoted(path), inner);
}

std::string problem_of(const InRoot& root, const std::string& path, const Search& search, int depth)
{
    const auto place = root.open_if_exists(path, O_PATH);
    if (!place)
        return fmt::format("{} does not exist in the app's root", text::quoted(path));
    const auto info = sys::stat(place->get());
    if (!S_ISREG(info.st_mode))
        return fmt::format("{} is not a regular file", text::quoted(path));
    if (!may_execute(info, search.who))
        return fmt::format("{} may not be executed by user {} (mode {:04o}, owner {}:{})", text::quoted(path),
                           search.who.uid, info.st_mode & 07777U, info.st_uid, info.st_gid);
    struct statvfs file_system {
    };
    if (::fstatvfs(place->get(), &file_system) == 0 && (file_system.f_flag & ST_NOEXEC) != 0)
        return fmt::format("{} is on a file system mounted with noexec", text::quoted(path));
    return problem_of_content(root, *place, path, search, depth);
}

Executable checked(const InRoot& root, std::string path, const Search& search)
{
    try {
        auto problem = problem_of(root, path, search, 1);
        const bool exists = problem.empty() || root.open_if_exists(path, O_PATH);
        return {std::move(path), std::move(problem), exists};
    } catch (const Error& error) { // a loop of links, a name that is too long
        return {std::move(path), error.what(), true};
    }
}

} // namespace

Executable find_executable(const InRoot& root, const std::string& file, const Search& search)
{
    if (file.empty())
        return {file, "the name of the executable is empty"};
    if (file.find('/') != std::string::npos)
        return checked(root, absolute(file, search.working_directory), search);
    std::optional<Executable> refused; // the first that is there but cannot be executed; the search goes on (APP-6)
    for (const auto& element : text::split(search.path, ':')) {
        const auto directory = element.empty() ? search.working_directory : absolute(element, search.working_directory);
        auto candidate = checked(root, absolute(file, directory), search);
        if (candidate.problem.empty())
            return candidate;
        if (!refused && candidate.exists)
            refused = std::move(candidate);
    }
    if (refused)
        return *refused;
    return {file, fmt::format("{} is in none of the directories of the app's PATH ({})", text::quoted(file),
                              text::quoted(search.path))};
}

bool may_execute(const struct stat& info, const Identity& who)
{
    if (who.uid == 0)
        return (info.st_mode & 0111U) != 0;
    const auto uid = info.st_uid - who.first_id, gid = info.st_gid - who.first_id;
    if (who.uid == uid)
        return (info.st_mode & 0100U) != 0;
    if (who.gid == gid || std::find(who.groups.begin(), who.groups.end(), gid) != who.groups.end())
        return (info.st_mode & 0010U) != 0;
    return (info.st_mode & 0001U) != 0;
}

std::string script_interpreter(std::string_view head)
{
    head = head.substr(0, script_line);
    if (!head.starts_with("#!"))
        return {};
    head.remove_prefix(2);
    const auto first = head.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    head.remove_prefix(first);
    const auto end = head.find_first_of(" \t\n");
    if (end == std::string_view::npos && head.size() + 2 + first >= script_line)
        return {}; // cut off: the kernel would refuse it too
    return std::string{head.substr(0, end)};
}

} // namespace rocket::stage1

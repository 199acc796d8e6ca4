// SPDX-License-Identifier: Apache-2.0
#include "common/sys/trace.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "common/sys/fd.hh"
#include "common/sys/sys.hh"

namespace rocket::trace
{

namespace
{

Fd file;             // NOLINT: one per process, like stderr
std::string program; // NOLINT

} // namespace

void start(std::string_view name)
{
    program = name;
    if (const char* path = ::secure_getenv("ROCKET_TRACE"); path != nullptr && *path != '\0')
        file = Fd{::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644)};
}

void mark(std::string_view name) noexcept
{
    if (!file)
        return;
    char line[256];
    const auto end =
        fmt::format_to_n(line, sizeof line, "{{\"usec\":{},\"pid\":{},\"program\":\"{}\",\"mark\":\"{}\"}}\n",
                         sys::monotonic_usec(), ::getpid(), program, name);
    [[maybe_unused]] const auto written = ::write(file.get(), line, end.size < sizeof line ? end.size : sizeof line);
}

} // namespace rocket::trace

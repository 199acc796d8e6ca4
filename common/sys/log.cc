// SPDX-License-Identifier: Apache-2.0
#include "common/sys/log.hh"

#include <unistd.h>

#include <vector>

namespace rocket::log
{

namespace
{

bool debug_on = false;
std::string line_prefix = "rocket";

} // namespace

void set_debug(bool on)
{
    debug_on = on;
}

bool debug_is_on()
{
    return debug_on;
}

void set_prefix(std::string prefix)
{
    line_prefix = std::move(prefix);
}

void print(std::string_view line)
{
    // One write, so that lines of several processes do not mix.
    const auto whole = fmt::format("{}: {}\n", line_prefix, line);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

void debug(std::string_view line)
{
    if (debug_on)
        print(line);
}

std::string describe(const Error& error, std::string_view context, bool whole_tree)
{
    std::string out;
    if (!whole_tree) {
        out = context.empty() ? error.innermost() : fmt::format("{}: {}", context, error.innermost());
    } else {
        std::vector<std::string> causes = error.causes();
        if (!context.empty())
            causes.insert(causes.begin(), std::string{context});
        out = causes.front();
        for (std::size_t depth = 1; depth < causes.size(); ++depth)
            out += fmt::format("\n{:>{}}└─{}", "", depth * 2, causes[depth]);
    }
    if (!error.hint().empty())
        out += fmt::format("\n  {}", error.hint());
    return out;
}

void error(const Error& error, std::string_view context)
{
    print(std::string_view{describe(error, context, debug_on)});
}

} // namespace rocket::log

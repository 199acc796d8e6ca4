// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/progress.hh"

#include <unistd.h>

#include <string>

#include <fmt/format.h>

#include "stage0/cli/values.hh"

namespace rocket::cli
{

namespace
{

using namespace std::chrono_literals;

constexpr auto patience = 300ms; // what is done sooner needs no progress
constexpr auto interval = 200ms;
constexpr int bar_width = 40;

void write_stderr(const std::string& bytes)
{
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
}

} // namespace

Progress::Progress() : on_terminal_{::isatty(STDERR_FILENO) == 1}, next_{std::chrono::steady_clock::now() + patience} {}

void Progress::show(std::uint64_t done, std::uint64_t total)
{
    const auto current = std::chrono::steady_clock::now();
    if (!on_terminal_ || total == 0 || current < next_)
        return;
    next_ = current + interval;
    is_shown_ = true;
    const auto filled =
        static_cast<int>(static_cast<double>(bar_width) * static_cast<double>(done) / static_cast<double>(total));
    write_stderr(fmt::format("\rUnpacking: [{:=<{}}{: <{}}] {}/{}\x1b[K", "", filled, "", bar_width - filled,
                             binary_size(done), binary_size(total)));
}

void Progress::clear()
{
    if (!is_shown_)
        return;
    write_stderr("\r\x1b[K");
    is_shown_ = false;
}

} // namespace rocket::cli

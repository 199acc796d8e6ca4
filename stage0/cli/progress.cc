// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/progress.hh"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "common/sys/log.hh"
#include "stage0/cli/values.hh"

namespace rocket::cli
{

namespace
{

using namespace std::chrono_literals;

constexpr auto patience = 300ms; // what is done sooner needs no progress
constexpr auto interval = 200ms;
constexpr std::size_t widest_bar = 40;
constexpr std::size_t narrowest_bar = 6;
constexpr std::string_view download = "Downloading ";

void write_stderr(const std::string& bytes)
{
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
}

struct TerminalSize {
    std::size_t columns;
    std::size_t rows;
};

TerminalSize terminal_size()
{
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {.columns = 80, .rows = 24};
    return {.columns = size.ws_col, .rows = size.ws_row};
}

// With the blank behind it; empty if there is no room.
std::string bar(std::uint64_t done, std::uint64_t total, std::size_t room)
{
    if (room < narrowest_bar + 3)
        return {};
    const auto width = std::min(widest_bar, room - 3);
    const auto filled = static_cast<std::size_t>(static_cast<double>(width) *
                                                 std::min(1.0, static_cast<double>(done) / static_cast<double>(total)));
    return fmt::format("[{:=<{}}{: <{}}] ", "", filled, "", width - filled);
}

std::string rate_and_time(std::uint64_t done, std::optional<std::uint64_t> total, double bytes_per_second)
{
    if (bytes_per_second < 1)
        return {};
    auto text = fmt::format(", {}/s", binary_size(static_cast<std::uint64_t>(bytes_per_second)));
    if (total && *total > done) {
        const auto left =
            std::chrono::seconds{static_cast<std::int64_t>(static_cast<double>(*total - done) / bytes_per_second) + 1};
        text += fmt::format(", {} left", format_duration(left));
    }
    return text;
}

} // namespace

std::string progress_line(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total,
                          double bytes_per_second, std::size_t width)
{
    const auto head = fmt::format("{}: ", what);
    const bool is_known = total && *total > 0;
    auto tail = is_known ? fmt::format("{}/{}", binary_size(done), binary_size(*total))
                         : fmt::format("{} of an unknown total size", binary_size(done));
    tail += rate_and_time(done, is_known ? total : std::nullopt, bytes_per_second);
    const auto used = head.size() + tail.size();
    auto line = head + (is_known && used < width ? bar(done, *total, width - used) : "") + tail;
    line.resize(std::min(line.size(), width));
    return line;
}

Progress::Progress(bool quiet) : on_terminal_{!quiet && ::isatty(STDERR_FILENO) == 1}, in_pipe_{!quiet && !on_terminal_}
{
}

Progress::Work Progress::begin(std::string_view what, std::uint64_t done)
{
    const auto now = Clock::now();
    if (whole_.what.empty() && parts_.empty())
        next_ = now + patience;
    return {.what = std::string{what}, .first = done, .since = now};
}

void Progress::show(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total)
{
    const std::lock_guard lock{mutex_};
    if (is_downloading() && !what.starts_with(download))
        return; // what has come already is worked on meanwhile
    if (what == told_ && total == told_total_)
        return;
    if (what != whole_.what) {
        end();
        whole_ = begin(what, done);
    }
    whole_.done = done;
    whole_.total = total;
    draw();
}

void Progress::show_part(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total)
{
    const std::lock_guard lock{mutex_};
    if (!on_terminal_)
        return;
    auto part = std::ranges::find(parts_, what, &Work::what);
    if (part == parts_.end())
        part = parts_.insert(parts_.end(), begin(what, done));
    part->done = done;
    part->total = total;
    if (part->is_over())
        parts_.erase(part);
    draw();
}

std::string Progress::line_of(const Work& work, Clock::time_point now, std::size_t width)
{
    const auto seconds = std::chrono::duration<double>(now - work.since).count();
    const auto rate = static_cast<double>(work.done > work.first ? work.done - work.first : 0) / std::max(seconds, 0.1);
    return progress_line(work.what, work.done, work.total, rate, width);
}

void Progress::draw()
{
    const auto now = Clock::now();
    if (!on_terminal_ || now < next_)
        return;
    next_ = now + interval;
    const auto size = terminal_size();
    const auto width = size.columns - 1; // a line of all columns wraps on some terminals
    std::vector<std::string> lines;
    const bool is_whole_shown = !whole_.what.empty() && (whole_.done > 0 || whole_.total) && !whole_.is_over();
    if (is_whole_shown)
        lines.push_back(line_of(whole_, now, width));
    for (const auto& part : parts_)
        if (lines.size() < size.rows)
            lines.push_back(line_of(part, now, width));
    erase();
    std::string text;
    for (const auto& line : lines) {
        text += (text.empty() ? "" : "\r\n") + line;
        drawn_.push_back(line.size());
    }
    write_stderr(text);
}

// The terminal may have become narrower: then it has wrapped what was drawn.
void Progress::erase()
{
    if (drawn_.empty())
        return;
    const auto columns = terminal_size().columns;
    std::size_t rows = 0;
    for (const auto length : drawn_)
        rows += std::max<std::size_t>(1, (length + columns - 1) / columns);
    write_stderr((rows > 1 ? fmt::format("\r\x1b[{}A\x1b[J", rows - 1) : "\r\x1b[J"));
    drawn_.clear();
}

void Progress::clear()
{
    const std::lock_guard lock{mutex_};
    end();
}

void Progress::finish()
{
    const std::lock_guard lock{mutex_};
    end();
    parts_.clear();
    told_.clear();
}

bool Progress::is_downloading() const
{
    return whole_.what.starts_with(download) && whole_.total && !whole_.is_over();
}

void Progress::end()
{
    erase();
    const auto& what = whole_.what;
    if (in_pipe_ && whole_.done > 0 && what.starts_with(download) && !is_downloading() &&
        what != "Downloading signature") {
        log::print("downloaded {}: {}", what.substr(download.size()), binary_size(whole_.done));
        told_ = what;
        told_total_ = whole_.total;
    }
    whole_ = {};
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/progress.hh"

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
constexpr int bar_width = 40;
constexpr std::string_view download = "Downloading ";

void write_stderr(const std::string& bytes)
{
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
}

std::string bar(std::uint64_t done, std::uint64_t total)
{
    const auto filled =
        static_cast<int>(bar_width * std::min(1.0, static_cast<double>(done) / static_cast<double>(total)));
    return fmt::format("[{:=<{}}{: <{}}]", "", filled, "", bar_width - filled);
}

} // namespace

std::string progress_line(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total,
                          double bytes_per_second)
{
    const auto is_known = total && *total > 0;
    auto line = is_known ? fmt::format("{}: {} {}/{}", what, bar(done, *total), binary_size(done), binary_size(*total))
                         : fmt::format("{}: {} of an unknown total size", what, binary_size(done));
    if (bytes_per_second < 1)
        return line;
    line += fmt::format(", {}/s", binary_size(static_cast<std::uint64_t>(bytes_per_second)));
    if (is_known && *total > done) {
        const auto left =
            std::chrono::seconds{static_cast<std::int64_t>(static_cast<double>(*total - done) / bytes_per_second) + 1};
        line += fmt::format(", {} left", format_duration(left));
    }
    return line;
}

Progress::Progress(bool quiet) : on_terminal_{!quiet && ::isatty(STDERR_FILENO) == 1}, in_pipe_{!quiet && !on_terminal_}
{
}

void Progress::begin(std::string_view what, std::uint64_t done)
{
    end();
    what_ = what;
    first_ = done;
    since_ = Clock::now();
    next_ = since_ + patience;
}

void Progress::show(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total)
{
    const std::lock_guard lock{mutex_};
    if (is_downloading() && !what.starts_with(download))
        return; // what has come already is worked on meanwhile
    if (what == whole_ && total == whole_total_)
        return;
    if (what != what_)
        begin(what, done);
    done_ = done;
    total_ = total;
    const auto current = Clock::now();
    if (!on_terminal_ || current < next_ || (done == 0 && !total))
        return;
    next_ = current + interval;
    is_shown_ = true;
    const auto seconds = std::chrono::duration<double>(current - since_).count();
    const auto rate = static_cast<double>(done > first_ ? done - first_ : 0) / seconds;
    write_stderr("\r" + progress_line(what, done, total, rate) + "\x1b[K");
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
    whole_.clear();
}

bool Progress::is_downloading() const
{
    return what_.starts_with(download) && total_ && done_ < *total_;
}

void Progress::end()
{
    if (is_shown_)
        write_stderr("\r\x1b[K");
    is_shown_ = false;
    if (in_pipe_ && done_ > 0 && what_.starts_with(download) && !is_downloading() && what_ != "Downloading signature") {
        log::print("downloaded {}: {}", what_.substr(download.size()), binary_size(done_));
        whole_ = what_;
        whole_total_ = total_;
    }
    what_.clear();
    done_ = 0;
    total_.reset();
}

} // namespace rocket::cli

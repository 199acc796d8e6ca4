// SPDX-License-Identifier: Apache-2.0
// How far a long piece of work is, on stderr. On a terminal: a line for the whole and one for each of its parts that is
// under way (the layers of an image), written over again a few times a second, with rate and time left; no line is
// longer than the terminal is wide, nor are there more than it has rows, and in the end none is left. Elsewhere: one
// line for each download when it is over. For several threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::cli
{

class Progress
{
public:
    using Clock = std::chrono::steady_clock;

    explicit Progress(bool quiet = false);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { clear(); }

    // `what`: "Unpacking", "Downloading ACI"; bytes that are done, and how many there are if anybody knows.
    void show(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total);
    // The same of a part; its line goes when all of it is done.
    void show_part(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total);
    // Before anything else is printed, and when a piece of work is over.
    void clear();
    void finish(); // the same, and nothing of this image comes any more

private:
    struct Work {
        std::string what;
        std::uint64_t done = 0;
        std::optional<std::uint64_t> total = {};
        std::uint64_t first = 0; // what was done when we first heard of it: an earlier command's work
        Clock::time_point since = {};

        bool is_over() const { return total && done >= *total; }
    };

    Work begin(std::string_view what, std::uint64_t done);
    void end();
    bool is_downloading() const; // and not done with it
    void draw();
    void erase();
    static std::string line_of(const Work& work, Clock::time_point now, std::size_t width);

    std::mutex mutex_;
    bool on_terminal_;
    bool in_pipe_;
    Work whole_;
    std::vector<Work> parts_;
    std::vector<std::size_t> drawn_; // lengths of the lines on the terminal
    Clock::time_point next_ = {};
    std::string told_; // the download that has been told of: a thread may still be about to report it
    std::optional<std::uint64_t> told_total_;
};

// "Downloading ACI: [====    ] 1.5MiB/3.0MiB, 700KiB/s, 2s left"; not longer than `width`, the bar first.
std::string progress_line(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total,
                          double bytes_per_second, std::size_t width = 1000);

} // namespace rocket::cli

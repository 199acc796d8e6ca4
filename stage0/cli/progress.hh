// SPDX-License-Identifier: Apache-2.0
// How far a long piece of work is, on stderr. On a terminal: one line that is written over again, at most a few times a
// second, with rate and time left. Elsewhere: one line for each download when it is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

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
    // Before anything else is printed, and when a piece of work is over.
    void clear();
    void finish(); // the same, and nothing of this image comes any more

private:
    void begin(std::string_view what, std::uint64_t done);
    void end();
    bool is_downloading() const; // and not done with it

    std::mutex mutex_; // layers are unpacked by several threads
    bool on_terminal_;
    bool in_pipe_;
    bool is_shown_ = false;
    std::string what_;
    std::optional<std::uint64_t> whole_total_;
    std::string whole_; // the download that has been told of: a thread may still be about to report it
    std::uint64_t done_ = 0;
    std::optional<std::uint64_t> total_;
    std::uint64_t first_ = 0; // what was done when we first heard of it: an earlier command's work
    Clock::time_point since_;
    Clock::time_point next_;
};

// "Downloading ACI: [====    ] 1.5MiB/3.0MiB, 700KiB/s, 2s left"
std::string progress_line(std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total,
                          double bytes_per_second);

} // namespace rocket::cli

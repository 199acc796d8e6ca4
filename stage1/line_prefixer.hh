// SPDX-License-Identifier: Apache-2.0
// What an app's output looks like on the caller's terminal: each line as "[secs.micros] app[pid]: text", ended so that
// CR LF arrives (cli 9.4). Control characters of the text stay as they are: it is the app's terminal, too. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rocket::stage1
{

class LinePrefixer
{
public:
    // `end`: "\n" where the terminal itself makes CR LF of it.
    explicit LinePrefixer(std::string app, std::string end = "\r\n") : app_{std::move(app)}, end_{std::move(end)} {}

    void set_pid(std::uint32_t pid) { pid_ = pid; } // in the pod's PID namespace
    bool has_pid() const noexcept { return pid_ != 0; }

    // The complete lines that these bytes bring about; an unfinished one is kept, but not more than max_line bytes.
    std::string add(std::string_view bytes, std::int64_t monotonic_usec);
    std::string finish(std::int64_t monotonic_usec); // the unfinished line, if there is one

    static constexpr std::size_t max_line = 16U << 10U;

private:
    void put_line(std::string& out, std::string_view rest, std::int64_t monotonic_usec);

    std::string app_;
    std::string end_;
    std::uint32_t pid_ = 0;
    std::string partial_;
};

} // namespace rocket::stage1

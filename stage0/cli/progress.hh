// SPDX-License-Identifier: Apache-2.0
// How far a long piece of work is, on stderr: one line that is written over again, on a terminal only, at most a few
// times a second.
#pragma once

#include <chrono>
#include <cstdint>

namespace rocket::cli
{

class Progress
{
public:
    Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { clear(); }

    void show(std::uint64_t done, std::uint64_t total); // bytes
    void clear();                                       // before anything else is printed

private:
    bool on_terminal_;
    bool is_shown_ = false;
    std::chrono::steady_clock::time_point next_;
};

} // namespace rocket::cli

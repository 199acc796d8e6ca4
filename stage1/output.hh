// SPDX-License-Identifier: Apache-2.0
// The caller's stdout or stderr, written to without ever blocking the loop and without changing the caller's own file
// description (O_NONBLOCK is set on one of our own where there can be one). A caller who has gone away (EPIPE) takes
// everything from then on, silently: the pod goes on.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class Output
{
public:
    Output(EventLoop& loop, int fd);

    bool is_terminal() const noexcept { return terminal_; }
    const char* line_end() const noexcept; // of a terminal: what makes it show CR LF
    // Writes what fits now and returns how much that was. When it was not all, `resume` is called once, later, when
    // there is room again.
    std::size_t write(std::string_view bytes, const std::function<void()>& resume);

private:
    enum class Kind { direct, nonblocking, socket }; // direct: a file or device that never makes us wait
    ssize_t write_once(std::string_view bytes) const noexcept;
    void on_writable();

    EventLoop& loop_;
    int fd_;
    Fd own_; // reopened, O_NONBLOCK
    Kind kind_ = Kind::direct;
    bool terminal_ = false;
    bool gone_ = false;
    Source writable_;
    std::vector<std::function<void()>> waiting_;
};

} // namespace rocket::stage1

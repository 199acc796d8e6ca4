// SPDX-License-Identifier: Apache-2.0
// One output stream of one app on its way from a pipe, or the master of a terminal, to the caller, to the pod's journal
// and to whoever else listens. The caller gets the bytes as they are, or, on a terminal, as lines with a prefix
// (cli 9.4). Caller and journal hold up this stream, and only this one, when they are slow, and nothing is lost at the
// end (LOG-3); taps take what comes at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"
#include "stage1/journal.hh"
#include "stage1/line_prefixer.hh"
#include "stage1/output.hh"

namespace rocket::stage1
{

class Relay
{
public:
    struct Sinks { // each may be missing
        Output* caller = nullptr;
        JournalStream* journal = nullptr;
        struct Tap {
            std::function<void(std::string_view)> take;
            std::function<void()> end; // there is no more
        };
        std::vector<Tap> taps = {};
    };

    // `from` is the read end of the app's pipe.
    Relay(EventLoop& loop, Fd from, Sinks sinks, const std::string& app);

    void set_pid(std::uint32_t pid); // lines on a terminal wait for it
    // No more writers: what is in the pipe is the rest. `done` is called when all of it has been handed on.
    void finish(std::function<void()> done);

private:
    void pump();
    bool hand_on(); // false: the caller is not ready for more
    bool read_more();
    void at_end();

    EventLoop& loop_;
    Fd from_;
    Sinks sinks_;
    std::optional<LinePrefixer> prefixer_;
    std::string held_;     // waits for the caller
    std::string unnamed_;  // waits for a pid
    bool waiting_ = false; // for the caller or the journal: resume() will come
    bool finishing_ = false;
    bool ended_ = false;
    std::function<void()> done_;
    Source readable_;
};

} // namespace rocket::stage1

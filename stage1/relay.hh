// SPDX-License-Identifier: Apache-2.0
// One output stream of one app on its way from a pipe to the caller and to the pod's journal. The caller gets the bytes
// as they are, or, on a terminal, as lines with a prefix (cli 9.4). Who is slow holds up this stream only, and nothing
// is lost at the end (LOG-3).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

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
    // `journal` may be null. `from` is the read end of the app's pipe.
    Relay(EventLoop& loop, Fd from, Output& to, std::unique_ptr<JournalStream> journal, const std::string& app);

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
    Output& to_;
    std::unique_ptr<JournalStream> journal_;
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

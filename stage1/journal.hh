// SPDX-License-Identifier: Apache-2.0
// The pod's own journal, reached through journald's stream protocol (sd_journal_stream_fd(3)): one stream per app and
// output, under the app's name and unit. Nothing happens before there is output: only then is the pod asked for its
// journal, and journald started. A journal that fails costs the journal, never the output or the pod.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class Journal;

class JournalStream
{
public:
    struct Source {
        std::string identifier;
        std::string unit;
        int priority;
        uid_t uid; // of the app, for the journal's _UID and _GID
        gid_t gid;
    };
    JournalStream(Journal& journal, Source source);
    ~JournalStream(); // what is not written yet is lost
    JournalStream(const JournalStream&) = delete;
    JournalStream& operator=(const JournalStream&) = delete;

    void append(std::string_view bytes); // takes everything; an unfinished line waits for its rest
    void complete();                     // there is no more, or what follows is by another process
    // More than a journal should owe: stop reading from the app; `resume` is called once when it has caught up.
    bool is_behind(std::function<void()> resume);

private:
    friend class Journal;
    void connect();
    void flush();
    std::size_t sendable(std::size_t from) const;
    ssize_t send_as_app(std::string_view bytes, uid_t uid, gid_t gid);
    void give_up();

    Journal& journal_;
    Source source_;
    std::optional<pid_t> sender_; // 0: none that is alive
    std::string backlog_;
    bool is_complete_ = false;
    bool in_line_ = false; // the last thing said was no end of line
    Fd socket_;
    stage1::Source writable_;
    std::function<void()> resume_;
};

class Journal
{
public:
    struct Pod {
        std::function<std::optional<Fd>()> connect;           // to journald's stdout socket; empty: nobody listens
        std::function<pid_t(const std::string& unit)> sender; // a process of the unit, as we see it; 0: there is none
        std::function<void()> start;                          // have the pod listen there; then call on_listening()
        std::function<void()> stop;                   // have journald write everything out and end; then on_stopped()
        std::function<void(const std::string&)> warn; // the journal is lost, and why
    };

    Journal(EventLoop& loop, Pod pod) : loop_{loop}, pod_{std::move(pod)} {}

    void on_listening(); // the sockets are there
    void on_running();   // journald is up: only from then on it can be stopped without losing anything
    void on_stopped();
    void on_reconnected(); // to PID 1: it may not have heard stop()
    void abandon();        // the pod is ending without us

    // Everything appended gets written out and journald ended, within bounds; then `done`. Journald that was never
    // needed is not started for this.
    void finish(std::function<void()> done);

private:
    friend class JournalStream;
    enum class State { unused, wanted, stopping, finished };
    bool can_send() const noexcept { return state_ == State::wanted && listening_; }
    void need();
    void fail(const std::string& why);
    void on_progress();
    void proceed(); // towards finish()

    EventLoop& loop_;
    Pod pod_;
    State state_ = State::unused;
    bool listening_ = false; // whether or not there is anything to write yet
    bool running_ = false;
    std::vector<JournalStream*> streams_;
    std::function<void()> done_;
    Source deadline_;
};

} // namespace rocket::stage1

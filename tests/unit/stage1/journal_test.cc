// SPDX-License-Identifier: Apache-2.0
#include "stage1/journal.hh"

#include <sys/socket.h>

#include <doctest/doctest.h>

#include "common/sys/sys.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

// A pod whose journald listens on our end of a socket pair.
struct FakePod {
    Journal::Pod callbacks()
    {
        return {.connect =
                    [this] {
                        auto pair = sys::make_socket_pair(SOCK_STREAM);
                        journald = std::move(pair.second);
                        return std::optional<Fd>{std::move(pair.first)};
                    },
                .sender = [](const std::string&) { return pid_t{0}; },
                .start = [this] { ++starts; },
                .stop = [this] { ++stops; },
                .warn = [this](const std::string& why) { warning = why; }};
    }
    std::string received() const
    {
        char bytes[256];
        const auto size = journald ? ::recv(journald.get(), bytes, sizeof bytes, MSG_DONTWAIT) : 0;
        return {bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

    Fd journald;
    int starts = 0;
    int stops = 0;
    std::string warning;
};

struct Fixture {
    EventLoop loop;
    FakePod pod;
    Journal journal{loop, pod.callbacks()};
    JournalStream stream{journal, {"web", "app-web.service", 6, 0, 0}};
    bool done = false;
};

constexpr const char* header = "web\napp-web.service\n6\n0\n0\n0\n0\n";

} // namespace

TEST_CASE("journal: nothing happens before there is output")
{
    Fixture f;
    f.journal.finish([&] { f.done = true; });
    CHECK(f.done);
    CHECK(f.pod.starts == 0);
}

TEST_CASE("journal: output asks for the pod's journal and is written when that listens")
{
    Fixture f;
    f.stream.append("line\n");
    CHECK(f.pod.starts == 1);
    CHECK_FALSE(f.pod.journald);
    f.journal.on_listening();
    CHECK(f.pod.received() == std::string{header} + "line\n");
}

TEST_CASE("journal: that it listens may be known before anybody needs it")
{
    Fixture f;
    f.journal.on_listening();
    f.stream.append("line\n");
    CHECK(f.pod.received() == std::string{header} + "line\n");
    f.journal.on_running();
    f.journal.finish([&] { f.done = true; });
    CHECK(f.pod.stops == 1);
    CHECK_FALSE(f.done);
    f.journal.on_stopped();
    CHECK(f.done);
    CHECK(f.pod.warning.empty());
}

TEST_CASE("journal: an unfinished line waits for its rest, or for the end")
{
    Fixture f;
    f.journal.on_listening();
    f.stream.append("one\ntw");
    CHECK(f.pod.received() == std::string{header} + "one\n");
    f.stream.append("o\nthr");
    CHECK(f.pod.received() == "two\n");
    f.stream.complete();
    CHECK(f.pod.received() == "thr\n");
}

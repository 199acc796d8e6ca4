// SPDX-License-Identifier: Apache-2.0
// The stage1 entry point `attach`: connects the caller's streams with those of a running app, or lists what there is.
// The working directory is the pod directory. Exits with 0 when the app's streams end or the user detaches.
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "common/model/json_object.hh"
#include "common/model/layout.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/attach/client.hh"
#include "stage1/entry_point.hh"
#include "stage1/listener.hh"

namespace
{

using namespace rocket;
using namespace rocket::stage1;
namespace json = model::json;

// The format of rkt, in which a terminal is one target.
void print_targets(attach::Endpoints offered)
{
    const auto address = sys::read_link(AT_FDCWD, "/proc/self/cwd") + '/' + model::pod_dir::attach_socket;
    json::Array targets;
    for (const auto endpoint : attach::all_endpoints)
        if (attach::contains(offered, endpoint) && endpoint != attach::Endpoint::terminal_in)
            targets.push_back(
                json::ObjectWriter{}
                    .set("name", endpoint == attach::Endpoint::terminal_out ? "tty" : attach::name_of(endpoint))
                    .set("domain", "unix")
                    .set("address", address)
                    .done());
    const auto list = json::ObjectWriter{}.set("version", std::int64_t{1}).set("targets", std::move(targets)).done();
    sys::write_all(STDOUT_FILENO, json::write(list, json::Style::four_blanks));
}

Fd block_signals()
{
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
        ::sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return Fd{sys::check([&] { return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK); }, "waiting for signals")};
}

void run(std::span<const char* const> words)
{
    const auto options = attach::parse_options(words);
    const auto pod = sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
    const auto signals = block_signals();
    attach::Client client{connect_to_supervisor(pod.get(), model::pod_dir::attach_socket), options};
    const auto attached = client.greet();
    if (options.list)
        print_targets(attached);
    else
        client.run(signals.get());
}

} // namespace

int main(int argc, char** argv)
{
    return stage1::entry_point("attach", [&] {
        run({argv + 1, argv + std::max(argc, 1)});
        return 0;
    });
}

// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/foreign_program.hh"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "common/sys/error.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t most_output = 1U << 20U;
constexpr std::size_t most_diagnostics = 64U << 10U;
constexpr std::uint64_t default_seconds = 60;
constexpr const char* path_variable = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::int64_t time_limit_usec()
{
    const char* seconds = std::getenv("ROCKET_CNI_TIMEOUT");
    const auto given = text::parse_decimal(seconds != nullptr ? seconds : "", 3600);
    return static_cast<std::int64_t>(given.value_or(default_seconds)) * 1'000'000;
}

Fd input_file(const std::string& input)
{
    auto file = sys::make_memfd("input");
    sys::write_all(file.get(), input);
    sys::check([&] { return ::lseek(file.get(), 0, SEEK_SET); }, "rewinding a program's input");
    return file;
}

// One of the program's outputs, read as it comes.
class Stream
{
public:
    Stream(Fd end, std::size_t limit) : end_{std::move(end)}, limit_{limit} { sys::set_nonblocking(end_.get(), true); }
    int fd() const { return is_open_ ? end_.get() : -1; }
    bool is_too_long() const { return text_.size() > limit_; }
    std::size_t limit() const { return limit_; }
    const std::string& text() const { return text_; }

    void drain()
    {
        char buffer[16384];
        while (is_open_ && !is_too_long()) {
            const auto got = ::read(end_.get(), buffer, sizeof buffer);
            if (got < 0 && errno == EINTR)
                continue;
            if (got == 0)
                is_open_ = false;
            if (got <= 0)
                return;
            text_.append(buffer, static_cast<std::size_t>(got));
        }
    }

private:
    Fd end_;
    std::size_t limit_;
    std::string text_;
    bool is_open_ = true;
};

// Its children are in its group, and what it left there when it did not end by itself ends now.
void kill_group(Process& process)
{
    ::kill(-process.pid(), SIGKILL);
    process.kill(SIGKILL);
    process.wait();
}

Outcome wait_for_end(Process process, Stream output, Stream diagnostics)
{
    const auto deadline = sys::monotonic_usec() + time_limit_usec();
    for (;;) {
        pollfd waiting[] = {{process.pidfd(), POLLIN, 0}, {output.fd(), POLLIN, 0}, {diagnostics.fd(), POLLIN, 0}};
        const auto left = (deadline - sys::monotonic_usec()) / 1000;
        const int ready = left <= 0 ? 0 : ::poll(waiting, std::size(waiting), static_cast<int>(left));
        output.drain();
        diagnostics.drain();
        if (ready == 0) {
            kill_group(process);
            fail(Error::Kind::system, "it did not end within {} s", time_limit_usec() / 1'000'000);
        }
        for (const auto* stream : {&output, &diagnostics})
            if (stream->is_too_long()) {
                kill_group(process);
                fail(Error::Kind::corrupt, "it printed more than {} bytes", stream->limit());
            }
        if ((waiting[0].revents & POLLIN) != 0) {
            output.drain(); // what it wrote last; a child that keeps the pipe open is not waited for
            diagnostics.drain();
            return {process.wait(), output.text(), diagnostics.text()};
        }
    }
}

std::string last_line(std::string_view diagnostics)
{
    const auto trimmed = text::trim(diagnostics);
    return text::printable(trimmed.substr(trimmed.rfind('\n') + 1));
}

} // namespace

std::string Outcome::why() const
{
    const auto line = last_line(diagnostics);
    const auto ended = status.signal != 0 ? fmt::format("killed by signal {}", status.signal)
                                          : fmt::format("exit status {}", status.code);
    return line.empty() ? ended : ended + ": " + line;
}

Outcome run_foreign(const ForeignProgram& program)
{
    const auto input = input_file(program.input);
    auto output = sys::make_pipe(), diagnostics = sys::make_pipe();
    Spawn spawning{.program = program.argv.front(),
                   .argv = program.argv,
                   .env = program.env,
                   .fds = {{STDIN_FILENO, input.get()},
                           {STDOUT_FILENO, output.write.get()},
                           {STDERR_FILENO, diagnostics.write.get()}},
                   .working_directory = "/",
                   .own_group = true};
    spawning.env.emplace_back(path_variable);
    if (program.held_fd >= 0)
        spawning.fds[3] = program.held_fd;
    auto process = spawn(spawning);
    output.write.reset();
    diagnostics.write.reset();
    return wait_for_end(std::move(process), {std::move(output.read), most_output},
                        {std::move(diagnostics.read), most_diagnostics});
}

} // namespace rocket::stage1

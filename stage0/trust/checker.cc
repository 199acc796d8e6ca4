// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/checker.hh"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "common/sys/libexec.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket::trust
{

namespace
{

constexpr int basic_seconds = 20;
constexpr off_t slowest_bytes_per_second = off_t{16} << 20;
constexpr int patience_seconds = 10; // beyond what the worker allows itself

std::string read_answer(int fd, std::int64_t deadline)
{
    std::string answer;
    std::array<char, 16384> buffer;
    for (;;) {
        const auto left = (deadline - sys::monotonic_usec()) / 1000;
        pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = left > 0 ? ::poll(&readable, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            fail(Error::Kind::system, "the signature checker does not answer");
        const auto size = sys::read_some(fd, buffer.data(), buffer.size());
        if (size == 0)
            return answer;
        answer.append(buffer.data(), size);
        if (answer.size() > verify::max_message_size)
            fail(Error::Kind::corrupt, "the signature checker's answer is too long");
    }
}

std::string ask(const verify::Request& request, std::optional<int> archive, int seconds)
{
    const auto question = sys::make_memfd("verify-request");
    sys::write_all(question.get(), verify::encode(request));
    sys::check([&] { return ::lseek(question.get(), 0, SEEK_SET); }, "rewinding a request");

    auto pipe = sys::make_pipe();
    Spawn what;
    what.program = libexec_path("verify");
    what.argv = {"verify", std::to_string(seconds)};
    what.env = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
    what.fds = {{STDIN_FILENO, question.get()}, {STDOUT_FILENO, pipe.write.get()}};
    if (archive)
        what.fds[verify::archive_fd] = *archive;
    auto worker = spawn(what);
    pipe.write.reset();

    constexpr std::int64_t second = 1'000'000;
    auto answer = read_answer(pipe.read.get(), sys::monotonic_usec() + (seconds + patience_seconds) * second);
    const auto status = worker.wait_for(patience_seconds * 1000);
    if (!status || !status->ok() || answer.empty())
        fail(Error::Kind::system, "the signature checker failed ({})",
             status ? fmt::format("status {}", status->shell_status()) : "it does not end");
    return answer;
}

} // namespace

verify::Checked check_signature(std::vector<verify::NamedKey> keys, std::string signature, int archive)
{
    const auto info = sys::stat(archive);
    if (!S_ISREG(info.st_mode))
        fail(Error::Kind::usage, "only regular files have signatures that can be checked");
    const verify::Request request{verify::Request::Task::check_signature, std::move(keys), std::move(signature)};
    const auto seconds = basic_seconds + static_cast<int>(info.st_size / slowest_bytes_per_second);
    return verify::decode_checked(ask(request, archive, seconds));
}

verify::Checked open_message(std::vector<verify::NamedKey> keys, std::string message)
{
    const verify::Request request{verify::Request::Task::open_message, std::move(keys), std::move(message)};
    return verify::decode_checked(ask(request, std::nullopt, basic_seconds));
}

std::vector<verify::ListedKey> list_keys(std::string key_file)
{
    const verify::Request request{verify::Request::Task::list_keys, {}, std::move(key_file)};
    return verify::decode_keys(ask(request, std::nullopt, basic_seconds));
}

} // namespace rocket::trust

// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/http.hh"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "common/sys/libexec.hh"
#include "common/sys/sys.hh"
#include "stage0/fetch/batch.hh"
#include "stage0/fetch/packet.hh"

namespace rocket::fetch
{

namespace
{

// Either case of each; libcurl itself looks at small http_proxy only, because CGI makes the other one of a header.
std::vector<std::string> worker_environment()
{
    std::vector<std::string> environment{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
    const auto pass = [&](const char* name, const char* as) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0')
            environment.push_back(fmt::format("{}={}", as, value));
        return value != nullptr && *value != '\0';
    };
    constexpr std::array<std::array<const char*, 2>, 4> proxies{{{"http_proxy", "HTTP_PROXY"},
                                                                 {"https_proxy", "HTTPS_PROXY"},
                                                                 {"all_proxy", "ALL_PROXY"},
                                                                 {"no_proxy", "NO_PROXY"}}};
    for (const auto& [small, capital] : proxies)
        if (!pass(small, small))
            pass(capital, small);
    pass("SSL_CERT_DIR", "SSL_CERT_DIR");
    return environment;
}

// Opened here: the file need not be readable for the worker.
Fd certificates()
{
    const char* path = std::getenv("SSL_CERT_FILE");
    if (path == nullptr || *path == '\0')
        return {};
    return with_context("SSL_CERT_FILE", [&] { return sys::open(AT_FDCWD, path, O_RDONLY | O_NOCTTY); });
}

struct Advice {
    unsigned status;
    const char* hint;
};
constexpr std::array advice{
    Advice{401, "it wants to know who you are: an \"auth\" file below auth.d of the configuration tells it"},
    Advice{403, "the server does not let you have it; if others may, an \"auth\" file in the configuration may help"},
    Advice{404, "check the spelling of the name and the version"},
    Advice{429, "the server asks for a pause; try again later"},
};

} // namespace

std::string Response::header(std::string_view name) const
{
    for (auto header = headers.rbegin(); header != headers.rend(); ++header)
        if (header->name == name)
            return header->value;
    return {};
}

std::string strong_etag(const Response& response)
{
    auto etag = response.header("etag");
    return etag.size() > 2 && etag.starts_with('"') && etag.ends_with('"') ? etag : std::string{};
}

void fail_status(const Response& response)
{
    std::string hint = response.status >= 500 ? "the server is in trouble; try again later" : "";
    for (const auto& [status, text] : advice)
        if (status == response.status)
            hint = text;
    throw HttpError{Failure::other, response.status == 404 ? Error::Kind::not_found : Error::Kind::system,
                    fmt::format("{}: bad HTTP status code: {}", text::printable(response.url), response.status), hint};
}

Client::Client(Options options) : options_{options} {}

Client::~Client() = default;

void Client::start_worker()
{
    auto sockets = sys::make_socket_pair(SOCK_SEQPACKET);
    const auto ca = certificates();
    Spawn what;
    what.program = libexec_path("fetch");
    what.argv = {"fetch"};
    what.env = worker_environment();
    what.fds = {{socket_fd, sockets.second.get()}};
    what.working_directory = "/";
    if (ca)
        what.fds[ca_fd] = ca.get();
    worker_ = spawn(what);
    socket_ = std::move(sockets.first);
}

void Client::send(const ToWorker& message, int fd)
{
    if (!socket_)
        start_worker();
    const auto bytes = encode(message);
    if (bytes.size() > largest_message)
        fail(Error::Kind::usage, "a request of {} bytes is too long", bytes.size());
    send_packet(socket_.get(), bytes, fd);
}

std::optional<ToBroker> Client::receive(int milliseconds)
{
    pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, milliseconds) <= 0) // a signal is as good as the end of the time
        return std::nullopt;
    auto packet = receive_packet(socket_.get(), largest_message);
    if (!packet)
        return std::nullopt;
    std::string last_words;
    if (!packet->bytes.empty()) {
        auto message = decode_to_broker(packet->bytes);
        const auto* failed = std::get_if<Failed>(&message);
        if (failed == nullptr || failed->id != 0)
            return message;
        last_words = ": " + text::printable(failed->text);
    }
    socket_.reset(); // the next request starts another one
    worker_ = Process{};
    fail(Error::Kind::system, "the downloader has ended{}", last_words);
}

Response Client::perform(const Request& request)
{
    Response result;
    perform({&request, 1}, [&](std::size_t, Response response) { result = std::move(response); });
    return result;
}

void Client::perform(std::span<const Request> requests, const Each& done, std::size_t at_once)
{
    Batch{*this, requests, done}.run(at_once);
}

} // namespace rocket::fetch

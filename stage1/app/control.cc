// SPDX-License-Identifier: Apache-2.0
#include "stage1/app/control.hh"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/model/layout.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t longest_request = 512;
constexpr std::size_t longest_answer = 64U << 10U;
constexpr std::string_view done = "ok";
constexpr std::array<std::pair<std::string_view, AppVerb>, 4> verbs{
    {{"add", AppVerb::add}, {"rm", AppVerb::remove}, {"start", AppVerb::start}, {"stop", AppVerb::stop}}};

} // namespace

std::optional<AppVerb> parse_verb(std::string_view word)
{
    for (const auto& [name, verb] : verbs)
        if (name == word)
            return verb;
    return std::nullopt;
}

std::string encode(const AppRequest& request)
{
    for (const auto& [name, verb] : verbs)
        if (verb == request.verb)
            return fmt::format("{} {}\n", name, request.app.str());
    return {};
}

AppRequest decode_app_request(std::string_view line)
{
    const auto space = line.find(' ');
    const auto verb = parse_verb(line.substr(0, space));
    if (!verb || space == std::string_view::npos)
        fail(Error::Kind::corrupt, "{} is no request to a pod's supervisor", text::quoted(line));
    return {*verb, model::AppName::parse(line.substr(space + 1))};
}

struct AppControl::Connection {
    Fd socket;
    std::string received;
    Source readable;
};

AppControl::AppControl(EventLoop& loop, int pod_dir, std::function<void(const AppRequest&, Answer)> asked)
    : loop_{loop}, asked_{std::move(asked)}, listener_{loop, pod_dir, model::pod_dir::control_socket,
                                                       [this](Fd socket) { accept(std::move(socket)); }}
{
}

void AppControl::accept(Fd socket)
{
    auto connection = std::make_shared<Connection>();
    connection->socket = std::move(socket);
    connection->readable =
        loop_.on_io(connection->socket.get(), EPOLLIN,
                    [this, weak = std::weak_ptr{connection}](std::uint32_t) { on_readable(weak.lock()); });
    connections_.push_back(std::move(connection));
}

void AppControl::drop(const Connection& connection)
{
    connections_.remove_if([&](const auto& one) { return one.get() == &connection; });
}

void AppControl::on_readable(const std::shared_ptr<Connection>& connection)
{
    char bytes[longest_request];
    const auto size = ::recv(connection->socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    connection->received.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    const auto end = connection->received.find('\n');
    if (end == std::string::npos) {
        if (size <= 0 || connection->received.size() > longest_request)
            drop(*connection);
        return;
    }
    connection->readable.reset(); // one request each
    // Whoever asked may be gone by the time of the answer.
    const auto answer = [this, connection](const Error* error) {
        const auto text = error != nullptr ? error->serialize() : std::string{done};
        ::send(connection->socket.get(), text.data(), std::min(text.size(), longest_answer),
               MSG_DONTWAIT | MSG_NOSIGNAL);
        drop(*connection);
    };
    try {
        asked_(decode_app_request(std::string_view{connection->received}.substr(0, end)), answer);
    } catch (const Error& error) {
        answer(&error);
    }
}

void ask_supervisor(int pod_dir, const AppRequest& request)
{
    const auto socket = connect_to_supervisor(pod_dir, model::pod_dir::control_socket);
    const auto text = encode(request);
    sys::check([&] { return ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL); },
               "asking the pod's supervisor");
    const auto answer = sys::read_to_end(socket.get(), longest_answer);
    if (answer.empty())
        fail(Error::Kind::busy, "the pod's supervisor has ended meanwhile");
    if (answer != done)
        throw Error::deserialize(answer);
}

} // namespace rocket::stage1

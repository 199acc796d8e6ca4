// SPDX-License-Identifier: Apache-2.0
#include "stage0/metadata/http_server.hh"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::metadata
{

namespace
{

constexpr std::size_t body_limit = 1U << 20U; // MDS-19
constexpr std::size_t field_buffer = 4096;
constexpr std::size_t memory_per_connection = 32U << 10U; // of its head
constexpr unsigned connections = 512;
constexpr unsigned connections_per_peer = 32;
constexpr unsigned patience = 10;                                 // seconds without a byte
constexpr const char* text_type = "text/plain; charset=us-ascii"; // bytewise so (MDS-3)
constexpr const char* json_type = "application/json";

// A request while it comes in.
struct Incoming {
    HttpRequest request;
    std::map<std::string, std::string> fields;
    MHD_PostProcessor* parser = nullptr;
    std::size_t size = 0;
    bool is_form = true;

    Incoming() = default;
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;
    ~Incoming()
    {
        if (parser != nullptr)
            ::MHD_destroy_post_processor(parser);
    }
    bool is_too_large() const noexcept { return size > body_limit; }
};

std::string address_text(const sockaddr* address)
{
    char text[INET6_ADDRSTRLEN] = {};
    if (address == nullptr || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return {};
    const void* bytes = address->sa_family == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr)
                            : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
    ::inet_ntop(address->sa_family, bytes, text, sizeof text);
    return text;
}

MHD_Result take_field(void* closure, MHD_ValueKind, const char* key, const char*, const char*, const char*,
                      const char* data, std::uint64_t, std::size_t size) noexcept
{
    auto& incoming = *static_cast<Incoming*>(closure);
    if (key == nullptr)
        return MHD_NO;
    incoming.fields[key].append(data, size);
    return MHD_YES;
}

void take_body(Incoming& incoming, MHD_Connection* connection, const char* data, std::size_t size)
{
    const bool is_first = incoming.size == 0;
    incoming.size += size;
    if (incoming.is_too_large() || !incoming.is_form)
        return;
    if (is_first)
        incoming.parser = ::MHD_create_post_processor(connection, field_buffer, take_field, &incoming);
    incoming.is_form = incoming.parser != nullptr && ::MHD_post_process(incoming.parser, data, size) == MHD_YES;
}

MHD_Result send(MHD_Connection* connection, const Response& response)
{
    auto* const made = ::MHD_create_response_from_buffer(response.body.size(), const_cast<char*>(response.body.data()),
                                                         MHD_RESPMEM_MUST_COPY);
    if (made == nullptr)
        return MHD_NO;
    const auto header = [&](const char* name, const char* value) { ::MHD_add_response_header(made, name, value); };
    header("Content-Type", response.is_json ? json_type : text_type);
    header("Cache-Control", "no-store");
    if (!response.allow.empty())
        header("Allow", response.allow.c_str());
    const auto result = ::MHD_queue_response(connection, response.status, made);
    ::MHD_destroy_response(made);
    return result;
}

Response respond(const HttpServer::Handler& handler, Incoming& incoming)
{
    if (incoming.is_too_large())
        return plain(413, "the body is larger than 1 MiB");
    try {
        if (incoming.parser != nullptr) // it hands out its last field when it ends
            incoming.is_form = ::MHD_destroy_post_processor(std::exchange(incoming.parser, nullptr)) == MHD_YES;
        if (incoming.is_form)
            incoming.request.form = std::move(incoming.fields);
        return handler(incoming.request);
    } catch (const std::exception& error) {
        log::print("{} failed: {}", incoming.request.method, text::printable(error.what()));
        return plain(500, "internal error");
    }
}

Incoming* begin(MHD_Connection* connection, const char* url, const char* method)
{
    auto incoming = std::make_unique<Incoming>();
    auto& request = incoming->request;
    request.method = method;
    request.path = url;
    request.has_query = ::MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, nullptr, nullptr) > 0;
    if (const auto* info = ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS))
        request.peer = address_text(info->client_addr);
    if (const auto* info = ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD))
        request.socket = info->connect_fd;
    return incoming.release(); // until end()
}

// Called for the head, for each piece of the body, and once more: then there is an answer.
MHD_Result handle(void* closure, MHD_Connection* connection, const char* url, const char* method, const char*,
                  const char* data, std::size_t* size, void** state) noexcept
{
    try {
        if (*state == nullptr) {
            *state = begin(connection, url, method);
            return MHD_YES;
        }
        auto& incoming = *static_cast<Incoming*>(*state);
        if (*size == 0)
            return send(connection, respond(*static_cast<const HttpServer::Handler*>(closure), incoming));
        take_body(incoming, connection, data, std::exchange(*size, 0));
        return incoming.size > 4 * body_limit ? MHD_NO : MHD_YES; // who goes on and on is hung up on
    } catch (const std::exception&) {                             // no memory
        return MHD_NO;
    }
}

void end(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) noexcept
{
    delete static_cast<Incoming*>(std::exchange(*state, nullptr));
}

// The library's own complaints are about clients.
void log_nothing(void*, const char*, va_list) noexcept {}

} // namespace

HttpServer::HttpServer(Fd listening, Handler handler) : handler_{std::move(handler)}
{
    daemon_.reset(::MHD_start_daemon(MHD_USE_EPOLL, 0, nullptr, nullptr, handle, &handler_,    //
                                     MHD_OPTION_EXTERNAL_LOGGER, log_nothing, nullptr,         //
                                     MHD_OPTION_LISTEN_SOCKET, listening.get(),                //
                                     MHD_OPTION_NOTIFY_COMPLETED, end, nullptr,                //
                                     MHD_OPTION_CONNECTION_LIMIT, connections,                 //
                                     MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections_per_peer, //
                                     MHD_OPTION_CONNECTION_TIMEOUT, patience,                  //
                                     MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_per_connection, MHD_OPTION_END));
    if (!daemon_)
        fail(Error::Kind::system, "the HTTP server does not start");
    [[maybe_unused]] const int taken_over = listening.release();
}

HttpServer::~HttpServer() = default;

void HttpServer::Stop::operator()(MHD_Daemon* daemon) const noexcept
{
    ::MHD_stop_daemon(daemon);
}

int HttpServer::descriptor() const
{
    return ::MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void HttpServer::work()
{
    ::MHD_run(daemon_.get());
}

int HttpServer::timeout() const
{
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    if (::MHD_get_timeout(daemon_.get(), &milliseconds) != MHD_YES)
        return -1;
    return static_cast<int>(std::min<MHD_UNSIGNED_LONG_LONG>(milliseconds, 60'000));
}

bool HttpServer::has_connections() const
{
    return ::MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections > 0;
}

Fd listen_tcp(const std::string& address, std::uint16_t port)
{
    const bool is_v6 = address.find(':') != std::string::npos;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(port);
    const auto* const name = is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
    const int family = is_v6 ? AF_INET6 : AF_INET;
    if (::inet_pton(family, address.c_str(), is_v6 ? static_cast<void*>(&v6.sin6_addr) : &v4.sin_addr) != 1)
        fail(Error::Kind::usage, "{} is no address", text::quoted(address));
    Fd socket{
        sys::check([&] { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }, "making a socket")};
    const int on = 1;
    const auto set = [&](int level, int option) {
        sys::check([&] { return ::setsockopt(socket.get(), level, option, &on, sizeof on); }, "preparing a socket");
    };
    set(SOL_SOCKET, SO_REUSEADDR);
    set(IPPROTO_IP, IP_FREEBIND);
    sys::check([&] { return ::bind(socket.get(), name, is_v6 ? sizeof v6 : sizeof v4); }, "binding {} port {}", address,
               port);
    sys::check([&] { return ::listen(socket.get(), SOMAXCONN); }, "listening at {} port {}", address, port);
    return socket;
}

} // namespace rocket::metadata

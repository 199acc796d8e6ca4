// SPDX-License-Identifier: Apache-2.0
// HTTP on one listening socket, by libmicrohttpd, without a thread: whoever owns it waits for its descriptor, and lets
// it work. Small by intention: bodies of at most 1 MiB that are forms, and answers that are text or JSON. A client that
// is slow is cut off after ten seconds, and none can take all connections.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/sys/fd.hh"
#include "stage0/metadata/answer.hh"

struct MHD_Daemon;

namespace rocket::metadata
{

struct HttpRequest {
    std::string method;
    std::string path; // unescaped, without the query
    bool has_query = false;
    Form form;        // of the body; nullopt: the body is not empty and no form
    std::string peer; // its IP address; empty: a unix socket
    int socket = -1;  // of the connection
};

class HttpServer
{
public:
    using Handler = std::function<Response(const HttpRequest& request)>; // what it throws is status 500, and logged

    HttpServer(Fd listening, Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    int descriptor() const; // readable when there is work
    void work();
    int timeout() const; // milliseconds until there is work anyhow; -1: never
    bool has_connections() const;

private:
    struct Stop {
        void operator()(MHD_Daemon* daemon) const noexcept;
    };
    Handler handler_;
    std::unique_ptr<MHD_Daemon, Stop> daemon_;
};

// Bound and listening. IPv4 or IPv6; the address may come later (IP_FREEBIND).
Fd listen_tcp(const std::string& address, std::uint16_t port);

} // namespace rocket::metadata

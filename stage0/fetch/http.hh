// SPDX-License-Identifier: Apache-2.0
// HTTP for the broker: requests are decided here (where to, with which credentials, how many redirects, how much, how
// often), and done by a confined worker that lives as long as the Client, uses its connections again, and can do
// several at a time. The broker sees status, headers and, in files of its own, bodies; it parses none of it.
//
//   fetch::Client client{{.insecure_tls = false, .insecure_http = false}};
//   const auto response = client.perform({.url = "https://example.com/v2/", .credentials = headers_for});
//   if (response.status != 200)
//       fetch::fail_status(response);
//
// Proxies are those of the environment (https_proxy, http_proxy, all_proxy, no_proxy, in either case). The system's
// certificates are trusted, or those of SSL_CERT_FILE and SSL_CERT_DIR (the latter has to be readable for everybody).
// Errors: HttpError, which says which URL, what went wrong and what to do; any status is a Response, not an error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"
#include "common/sys/process.hh"
#include "stage0/fetch/protocol.hh"
#include "stage0/fetch/url.hh"

namespace rocket::fetch
{

struct HttpError : Error {
    HttpError(Failure why, Kind kind, std::string text, std::string hint = {})
        : Error{kind, std::move(text), std::move(hint)}, failure{why}
    {
    }
    Failure failure;
};

// Headers that only this host may see, such as Authorization; asked for at every hop. Never called for http unless
// insecure http is allowed.
using Credentials = std::function<Headers(const std::string& method, const Url& url)>;
// Bytes that are there, and how many there will be; called several times a second, also while nothing comes.
using Progress = std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)>;

struct Response;

struct Request {
    std::string url;                 // https, or http if the caller says so: a redirect never leads from https to http
    std::string method = "GET";      // GET, HEAD, POST; redirects of a POST are not followed
    Headers headers = {};            // sent at every hop, to any host: nothing secret
    std::string body = {};           // of a POST
    Credentials credentials = {};    // may be empty
    int output = -1;                 // where the body of a 200 or 206 is written; -1: into Response::body
    std::uint64_t resume_at = 0;     // bytes of the output that are there: only the rest is asked for
    std::string if_range = {};       // and only if the thing is still the one with this validator
    bool is_immutable = false;       // nothing else can be at that URL: what was cut is gone on with in any case
    std::uint64_t limit = 1U << 20U; // bytes of the body, in all
    bool wants_tags = false;         // search the body for ac- meta tags instead of keeping it
    int attempts = 4; // after 5xx, 429, and cuts; waits as long as the server says, or 0.5 s, then twice as long
    // Called when a 200 or 206 begins, before its body is written.
    std::function<void(const Response& head)> on_head = {};
    std::uint64_t connect_seconds = 20;
    std::uint64_t idle_seconds = 30; // less than 1 KiB/s for that long
    std::uint64_t total_seconds = 0; // of one attempt at one hop; 0: no limit
    Progress progress = {};
};

struct Response {
    unsigned status = 0;
    std::string url;         // after redirects
    Headers headers = {};    // names in lower case
    std::string body = {};   // without an output, or of a status other than 200 and 206 (the first 64 KiB)
    std::uint64_t begin = 0; // where the body begins in the output: 0, or resume_at with status 206
    std::uint64_t bytes = 0; // of the body
    std::vector<Tag> tags = {};

    // The value of the (last) header of that name; empty if there is none.
    std::string header(std::string_view name) const;
};

// An ETag that proves that two responses are the same, byte by byte; empty if the server gave none (RFC 9110, 8.8.3).
std::string strong_etag(const Response& response);

// "URL: bad HTTP status code: 404", and what to do.
[[noreturn]] void fail_status(const Response& response);

class Client
{
public:
    struct Options {
        bool insecure_tls = false;  // certificates and host names are not looked at
        bool insecure_http = false; // redirects from https to http are followed, credentials go out over http
    };

    explicit Client(Options options);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    const Options& options() const noexcept { return options_; }

    // The output is emptied before a body that begins at 0 is written to it. A body that was cut is gone on with, if
    // the server can prove that it is the same one. What a worker has written is as trustworthy as what came over the
    // network, as long as the Client lives: check what you read, as you read it.
    Response perform(const Request& request);

    // Several at a time; `done` gets each as it comes, while the others go on. The first Error ends them all.
    using Each = std::function<void(std::size_t index, Response response)>;
    void perform(std::span<const Request> requests, const Each& done, std::size_t at_once = 4);

private:
    class Batch;
    void start_worker();
    void send(const ToWorker& message, int fd = -1);
    // nullopt if there is none within that time.
    std::optional<ToBroker> receive(int milliseconds);

    Options options_;
    Process worker_;
    Fd socket_;
    std::uint64_t last_id_ = 0;
};

} // namespace rocket::fetch

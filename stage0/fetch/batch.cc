// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/batch.hh"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/sys/sys.hh"

namespace rocket::fetch
{

namespace
{

constexpr int most_redirects = 10;
constexpr std::uint64_t largest_other_body = std::uint64_t{64} << 10; // of a status that is no success
constexpr std::int64_t first_pause = 500'000;                         // microseconds
constexpr std::int64_t longest_pause = 10'000'000;
constexpr std::uint64_t longest_asked_pause = 60; // seconds
constexpr int most_cuts = 100;                    // of one response, also if each brings a little
constexpr int tick = 250;                         // milliseconds

constexpr std::array<unsigned, 5> redirections{301, 302, 303, 307, 308};
constexpr std::array<unsigned, 5> passing{429, 500, 502, 503, 504};

bool is_success(unsigned status)
{
    return status == 200 || status == 206;
}

struct Words {
    Failure failure;
    Error::Kind kind;
    const char* hint;
};
constexpr std::array words{
    Words{Failure::resolve, Error::Kind::system, "check the name, and that this host can reach a name server"},
    Words{Failure::connect, Error::Kind::system, "check that the server is up, and whether a proxy is needed"},
    Words{Failure::tls, Error::Kind::untrusted,
          "if its certificate is signed by an authority of your own, say SSL_CERT_FILE=FILE; "
          "--insecure-options=tls believes anybody"},
    Words{Failure::time, Error::Kind::system, "the server, or the network, is too slow; try again later"},
    Words{Failure::cut, Error::Kind::system, "try again: what has come already is not fetched again where possible"},
    Words{Failure::too_large, Error::Kind::corrupt, ""},
    Words{Failure::malformed, Error::Kind::corrupt, "the server, or a proxy, is broken"},
    Words{Failure::write, Error::Kind::system, ""},
};

[[noreturn]] void fail_at(const Url& url, Failure failure, std::string_view text)
{
    const auto found = std::ranges::find(words, failure, &Words::failure);
    const bool known = found != words.end();
    throw HttpError{failure, known ? found->kind : Error::Kind::system,
                    fmt::format("{}: {}", text::printable(url.str()), text::printable(text)), known ? found->hint : ""};
}

// The range that was asked for and nothing else: "bytes FROM-LAST/ALL"; gives LAST + 1.
std::uint64_t end_of_range(const Url& url, const std::string& content_range, std::uint64_t from)
{
    constexpr std::string_view unit = "bytes ";
    const auto range = std::string_view{content_range};
    const auto dash = range.find('-');
    const auto slash = range.find('/');
    if (range.starts_with(unit) && dash != range.npos && slash != range.npos && dash < slash) {
        const auto first = text::parse_decimal(range.substr(unit.size(), dash - unit.size()), INT64_MAX);
        const auto last = text::parse_decimal(range.substr(dash + 1, slash - dash - 1), INT64_MAX - 1);
        const auto all = text::parse_decimal(range.substr(slash + 1), INT64_MAX);
        if (first == from && last && *last >= from && all == *last + 1)
            return *all;
    }
    fail_at(url, Failure::malformed,
            fmt::format("the rest from byte {} on was asked for, and {} came", from, text::quoted(content_range)));
}

// What the server asks for in seconds, as far as anybody waits for that.
std::int64_t pause_after(const Response& response, int failures)
{
    if (const auto seconds = text::parse_decimal(response.header("retry-after"), UINT32_MAX))
        return static_cast<std::int64_t>(std::min(*seconds, longest_asked_pause)) * 1'000'000;
    return std::min(first_pause << std::min(failures - 1, 8), longest_pause);
}

} // namespace

Client::Batch::Batch(Client& client, std::span<const Request> requests, const Each& done)
    : client_{client}, requests_{requests}, done_{done}
{
}

Client::Batch::~Batch()
{
    for (const auto& transfer : transfers_) {
        try {
            if (transfer.id != 0 && client_.socket_)
                client_.send(Cancel{transfer.id});
        } catch (const Error&) { // the worker has gone, and all transfers with it
        }
    }
}

void Client::Batch::run(std::size_t at_once)
{
    while (next_ < requests_.size() || !transfers_.empty()) {
        while (next_ < requests_.size() && transfers_.size() < at_once)
            add_next();
        begin_due();
        hear(time_to_wait());
        tell_progress();
    }
}

void Client::Batch::add_next()
{
    const auto& request = requests_[next_];
    transfers_.push_back({.request = request,
                          .index = next_,
                          .url = Url::parse(request.url),
                          .resume_at = request.resume_at,
                          .if_range = request.if_range});
    ++next_;
}

void Client::Batch::begin_due()
{
    const auto now = sys::monotonic_usec();
    for (auto& transfer : transfers_)
        if (transfer.id == 0 && transfer.not_before <= now)
            begin(transfer);
}

int Client::Batch::time_to_wait() const
{
    std::int64_t wait = tick;
    const auto now = sys::monotonic_usec();
    for (const auto& transfer : transfers_)
        if (transfer.id == 0)
            wait = std::clamp<std::int64_t>((transfer.not_before - now + 999) / 1000, 0, wait);
    return static_cast<int>(wait);
}

void Client::Batch::begin(Transfer& transfer)
{
    const auto& request = transfer.request;
    transfer.response = {};
    transfer.memory.reset();
    transfer.file = -1;
    transfer.expected.reset();
    transfer.id = ++client_.last_id_;
    Start start{.id = transfer.id, .method = request.method, .url = transfer.url.str(), .headers = request.headers};
    start.body = request.body;
    start.connect_seconds = request.connect_seconds;
    start.idle_seconds = request.idle_seconds;
    start.total_seconds = request.total_seconds;
    start.verify_tls = !client_.options_.insecure_tls;
    start.headers.push_back({"Accept-Encoding", "identity"});
    if (transfer.resume_at > 0)
        start.headers.push_back({"Range", fmt::format("bytes={}-", transfer.resume_at)});
    if (transfer.resume_at > 0 && !transfer.if_range.empty())
        start.headers.push_back({"If-Range", transfer.if_range});
    if (request.credentials && (transfer.url.is_secure() || client_.options_.insecure_http))
        for (auto& header : request.credentials(request.method, transfer.url))
            start.headers.push_back(std::move(header));
    for (const auto& header : start.headers)
        if ((header.name + header.value).find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
            fail_at(transfer.url, Failure::other, fmt::format("header {} has a line end", text::quoted(header.name)));
    client_.send(start);
}

void Client::Batch::hear(int milliseconds)
{
    if (!client_.socket_)
        return;
    const auto message = client_.receive(milliseconds);
    if (!message)
        return;
    std::visit(
        [&](const auto& said) {
            const auto transfer = std::ranges::find(transfers_, said.id, &Transfer::id);
            if (transfer != transfers_.end()) // else it was cancelled
                take(transfer, said);
        },
        *message);
}

void Client::Batch::take(Transfers::iterator transfer, const Head& head)
{
    transfer->response = {
        .status = static_cast<unsigned>(head.status), .url = transfer->url.str(), .headers = head.headers};
    const auto decision = decide(*transfer);
    if (decision.body == Decision::Body::write && decision.offset == 0)
        sys::check([&] { return ::ftruncate(transfer->file, 0); }, "emptying the file of an earlier download");
    client_.send(decision, transfer->file);
}

// That what comes is what was asked for, and no more than was asked for.
void Client::Batch::check_head(Transfer& transfer, const Decision& decision) const
{
    auto& response = transfer.response;
    if (const auto encoding = response.header("content-encoding"); !encoding.empty() && encoding != "identity")
        fail_at(transfer.url, Failure::malformed,
                fmt::format("it comes with Content-Encoding {}, which was not asked for", text::quoted(encoding)));
    if (response.status == 206) {
        transfer.expected = end_of_range(transfer.url, response.header("content-range"), transfer.resume_at);
        response.begin = transfer.resume_at;
    } else if (transfer.request.method != "HEAD") {
        transfer.expected = text::parse_decimal(response.header("content-length"), INT64_MAX);
    }
    if (transfer.expected.value_or(0) > decision.limit)
        fail_at(transfer.url, Failure::too_large,
                fmt::format("it has {} bytes, which is more than {}", *transfer.expected, decision.limit));
}

Decision Client::Batch::decide(Transfer& transfer)
{
    const auto& request = transfer.request;
    const auto& response = transfer.response;
    Decision decision{.id = transfer.id, .body = Decision::Body::write, .limit = largest_other_body};
    if (is_success(response.status)) {
        decision.limit = std::min(request.limit, std::uint64_t{INT64_MAX});
        check_head(transfer, decision);
        decision.limit -= response.begin;
        decision.offset = response.begin;
        if (request.on_head)
            request.on_head(response);
        if (request.wants_tags) {
            decision.body = Decision::Body::tags;
            return decision;
        }
        transfer.file = request.output;
    }
    if (transfer.file < 0) {
        transfer.memory = sys::make_memfd("response");
        transfer.file = transfer.memory.get();
    }
    return decision;
}

void Client::Batch::take(Transfers::iterator transfer, const Done& done)
{
    transfer->id = 0;
    auto& response = transfer->response;
    if (response.status == 0)
        fail_at(transfer->url, Failure::malformed, "there is no answer in the answer");
    response.bytes = done.bytes;
    response.tags = done.tags;
    if (std::ranges::find(redirections, response.status) != redirections.end() && transfer->request.method != "POST")
        return redirect(*transfer);
    if (std::ranges::find(passing, response.status) != passing.end() && try_again(*transfer))
        return;
    if (transfer->expected && response.begin + done.bytes != *transfer->expected)
        fail_at(transfer->url, Failure::cut,
                fmt::format("{} bytes were announced and {} came", *transfer->expected, response.begin + done.bytes));
    finish(transfer);
}

void Client::Batch::take(Transfers::iterator transfer, const Failed& failed)
{
    transfer->id = 0;
    const auto status = transfer->response.status;
    const bool is_redirect = std::ranges::find(redirections, status) != redirections.end();
    if (failed.failure == Failure::too_large && status != 0 && !is_success(status) && !is_redirect)
        return finish(transfer); // a refusal of more words than we keep
    if (!go_on_after(*transfer, failed))
        fail_at(transfer->url, failed.failure, failed.text);
}

// Tries again after a cut, from where it was cut if that can be done.
bool Client::Batch::go_on_after(Transfer& transfer, const Failed& failed) const
{
    const auto& request = transfer.request;
    const bool passes = failed.failure == Failure::cut || (failed.failure == Failure::time && failed.bytes > 0);
    if (!passes || request.method == "POST" || request.attempts <= 1 || ++transfer.cuts > most_cuts)
        return false;
    const auto etag = strong_etag(transfer.response);
    const bool is_provable = request.is_immutable || !etag.empty();
    if (request.output >= 0 && failed.bytes > 0 && is_success(transfer.response.status) && is_provable) {
        transfer.resume_at = transfer.response.begin + failed.bytes;
        transfer.if_range = etag;
        transfer.failures = 0;
    }
    return try_again(transfer);
}

// Puts it off for a while; false if it was tried often enough.
bool Client::Batch::try_again(Transfer& transfer) const
{
    if (++transfer.failures >= transfer.request.attempts)
        return false;
    transfer.not_before = sys::monotonic_usec() + pause_after(transfer.response, transfer.failures);
    return true;
}

void Client::Batch::redirect(Transfer& transfer)
{
    const auto location = transfer.response.header("location");
    if (location.empty())
        fail_at(transfer.url, Failure::malformed, "it is elsewhere, but the server does not say where");
    if (++transfer.redirects > most_redirects)
        fail_at(transfer.url, Failure::malformed, "too many redirects");
    auto target = transfer.url;
    try {
        target = transfer.url.resolve(location);
    } catch (const Error& error) {
        fail_at(transfer.url, Failure::malformed, "it redirects us: " + error.innermost());
    }
    if (transfer.url.is_secure() && !target.is_secure() && !client_.options_.insecure_http)
        throw HttpError{Failure::malformed, Error::Kind::untrusted,
                        fmt::format("{}: it redirects us from https to {}, where anybody can listen and answer",
                                    text::printable(transfer.url.str()), text::quoted(target.str())),
                        "--insecure-options=http allows that"};
    transfer.url = target;
}

void Client::Batch::finish(Transfers::iterator transfer)
{
    auto& response = transfer->response;
    if (transfer->memory) {
        sys::check([&] { return ::lseek(transfer->memory.get(), 0, SEEK_SET); }, "rewinding a response");
        response.body = sys::read_to_end(transfer->memory.get(), SIZE_MAX);
    }
    const auto& progress = transfer->request.progress;
    if (const auto here = response.begin + response.bytes; progress && is_success(response.status))
        progress(here, here);
    auto result = std::move(response);
    const auto index = transfer->index;
    transfers_.erase(transfer);
    done_(index, std::move(result));
}

// The worker says nothing while a body comes: the file grows.
void Client::Batch::tell_progress() const
{
    for (const auto& transfer : transfers_) {
        if (!transfer.request.progress)
            continue;
        const bool counts = transfer.file >= 0 && is_success(transfer.response.status);
        transfer.request.progress(counts ? static_cast<std::uint64_t>(sys::stat(transfer.file).st_size) : 0,
                                  counts ? transfer.expected : std::nullopt);
    }
}

} // namespace rocket::fetch

// SPDX-License-Identifier: Apache-2.0
// fetch: the confined worker that talks to servers. The broker (stage0/fetch/http.cc) starts one per command and keeps
// it for all exchanges, so that connections are used again; protocol.hh has what they say to each other.
//   3: the broker's socket   4: certificates to trust, may be absent   environment: proxies, SSL_CERT_DIR
// It confines itself before it opens its first connection, and ends when the broker does.
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>

#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage0/fetch/confine.hh"
#include "stage0/fetch/exchange.hh"
#include "stage0/fetch/packet.hh"

namespace rocket::fetch
{

namespace
{

constexpr std::size_t largest_bundle = std::size_t{8} << 20;

class Worker
{
public:
    explicit Worker(Trust trust) : trust_{std::move(trust)}, multi_{::curl_multi_init(), ::curl_multi_cleanup}
    {
        sys::set_nonblocking(socket_fd, true);
        ::curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, 8L);
    }

    void run()
    {
        while (hear())
            work();
    }

private:
    // Takes all that the broker has said; false when it has gone.
    bool hear()
    {
        while (auto packet = receive_packet(socket_fd, largest_message)) {
            if (packet->bytes.empty())
                return false;
            const auto message = decode_to_worker(packet->bytes);
            if (const auto* start = std::get_if<Start>(&message))
                begin(*start);
            else if (const auto* decision = std::get_if<Decision>(&message))
                decide(*decision, std::move(packet->fd));
            else
                drop(std::get<Cancel>(message).id);
        }
        return true;
    }

    void work()
    {
        int running = 0;
        ::curl_multi_perform(multi_.get(), &running);
        int left = 0;
        while (const auto* done = ::curl_multi_info_read(multi_.get(), &left)) {
            Exchange* exchange = nullptr;
            ::curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &exchange);
            const auto result = done->data.result;
            ::curl_multi_remove_handle(multi_.get(), exchange->handle());
            exchange->end(result);
        }
        std::erase_if(exchanges_, [](const auto& entry) { return entry.second->is_over(); });
        curl_waitfd broker{.fd = socket_fd, .events = CURL_WAIT_POLLIN, .revents = 0};
        ::curl_multi_poll(multi_.get(), &broker, 1, 1000, nullptr);
    }

    void begin(const Start& start)
    {
        auto exchange = std::make_unique<Exchange>(start, trust_, [](const ToBroker& message) { say(message); });
        ::curl_multi_add_handle(multi_.get(), exchange->handle());
        exchanges_.insert_or_assign(start.id, std::move(exchange));
    }

    void decide(const Decision& decision, Fd file)
    {
        const auto found = exchanges_.find(decision.id);
        if (found == exchanges_.end())
            return; // it has failed meanwhile
        found->second->decide(decision, std::move(file));
        if (found->second->is_over())
            exchanges_.erase(found);
    }

    void drop(std::uint64_t id)
    {
        const auto found = exchanges_.find(id);
        if (found == exchanges_.end())
            return;
        ::curl_multi_remove_handle(multi_.get(), found->second->handle());
        exchanges_.erase(found);
    }

    static void say(const ToBroker& message)
    {
        const auto bytes = encode(message);
        while (!send_packet(socket_fd, bytes)) {
            pollfd writable{.fd = socket_fd, .events = POLLOUT, .revents = 0};
            sys::check([&] { return ::poll(&writable, 1, -1); }, "waiting for the broker");
        }
    }

    Trust trust_;
    std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_;
    std::map<std::uint64_t, std::unique_ptr<Exchange>> exchanges_;
};

Trust trust_from_environment()
{
    Trust trust;
    if (::fcntl(ca_fd, F_GETFD) >= 0)
        trust.certificates = sys::read_to_end(ca_fd, largest_bundle);
    ::close_range(ca_fd, ~0U, 0);
    if (const char* directory = std::getenv("SSL_CERT_DIR"))
        trust.directory = directory;
    return trust;
}

// Under no exchange's id: the broker takes it as the end of all.
void say_last_words(const std::string& text)
{
    try {
        send_packet(socket_fd, encode(Failed{.id = 0, .text = text}));
    } catch (const Error&) { // nobody is there to be told
    }
}

void run()
{
    ::curl_global_init(CURL_GLOBAL_DEFAULT);
    auto trust = trust_from_environment();
    confine(trust.directory);
    Worker{std::move(trust)}.run();
}

} // namespace

} // namespace rocket::fetch

int main()
{
    using namespace rocket;
    ensure_standard_fds();
    ::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error of write(2)
    ::signal(SIGINT, SIG_IGN);  // the broker gets it too, and our end is its
    if (::fcntl(fetch::socket_fd, F_GETFD) < 0) {
        ::dprintf(STDERR_FILENO, "fetch is started by rocket, not by hand\n");
        return 254;
    }
    try {
        fetch::run();
    } catch (const std::exception& error) {
        fetch::say_last_words(error.what());
        ::_exit(1);
    }
    ::_exit(0); // threads may still wait for a name server
}

// SPDX-License-Identifier: Apache-2.0
// The requests of one Client::perform(): redirects, retries, where bodies go, and that what comes is what was asked
// for.
#pragma once

#include <list>

#include "stage0/fetch/http.hh"

namespace rocket::fetch
{

class Client::Batch
{
public:
    Batch(Client& client, std::span<const Request> requests, const Each& done);
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    ~Batch(); // what is still going on is cancelled

    void run(std::size_t at_once);

private:
    // One request on its way. Between two exchanges (before the first, or waiting to try again) its id is 0.
    struct Transfer {
        const Request& request;
        std::size_t index;
        Url url;
        std::uint64_t resume_at;
        std::string if_range;
        std::uint64_t id = 0;
        std::int64_t not_before = 0; // monotonic microseconds
        int redirects = 0;
        int failures = 0; // in a row
        int cuts = 0;     // in all
        Response response = {};
        Fd memory = {};
        int file = -1; // the body goes there; -1: nowhere
        std::optional<std::uint64_t> expected = {};
    };
    using Transfers = std::list<Transfer>;

    void add_next();
    void begin_due();
    void begin(Transfer& transfer);
    void hear(int milliseconds);
    void take(Transfers::iterator transfer, const Head& head);
    void take(Transfers::iterator transfer, const Done& done);
    void take(Transfers::iterator transfer, const Failed& failed);
    Decision decide(Transfer& transfer);
    void check_head(Transfer& transfer, const Decision& decision) const;
    void redirect(Transfer& transfer);
    bool try_again(Transfer& transfer) const;
    bool go_on_after(Transfer& transfer, const Failed& failed) const;
    void finish(Transfers::iterator transfer);
    void tell_progress() const;
    int time_to_wait() const;

    Client& client_;
    std::span<const Request> requests_;
    const Each& done_;
    std::size_t next_ = 0;
    Transfers transfers_;
};

} // namespace rocket::fetch

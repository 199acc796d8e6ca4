// SPDX-License-Identifier: Apache-2.0
// The journal of a pod, which its journald wrote, read by libsystemd: the files are untrusted, so whoever reads them
// should have no more rights than that takes. Errors: Kind::system.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "stage0/pod/pod.hh"

struct sd_journal;

namespace rocket::pod
{

struct JournalEntry {
    std::uint64_t usec = 0; // CLOCK_REALTIME
    std::string app;        // empty: not by one
    std::string pid;
    std::string priority;
    std::string message;
};

class Journal
{
public:
    explicit Journal(Fd directory);

    void seek_since(std::uint64_t usec);
    bool next();
    void wait(); // until something may be new, half a second at most
    JournalEntry entry();

private:
    struct Close {
        void operator()(sd_journal* journal) const noexcept;
    };
    std::string field(const char* name);

    Fd directory_;
    std::unique_ptr<sd_journal, Close> journal_;
};

// nullopt as long as no app has said anything.
std::optional<Fd> journal_directory(const Pod& pod);

} // namespace rocket::pod

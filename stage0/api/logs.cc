// SPDX-License-Identifier: Apache-2.0
#include "stage0/api/logs.hh"

#include <chrono>
#include <deque>

#include "common/sys/lock.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/journal.hh"
#include "stage0/pod/wait.hh"

namespace rocket::api
{

namespace
{

constexpr std::uint64_t second = 1'000'000; // microseconds
constexpr std::size_t lines_at_once = 256;

class Reader
{
public:
    Reader(pod::Journal journal, const v1alpha::GetLogsRequest& request)
        : journal_{std::move(journal)}, request_{request}, until_{second *
                                                                  static_cast<std::uint64_t>(
                                                                      std::max<std::int64_t>(request.until_time(), 0))}
    {
        if (request.since_time() > 0)
            journal_.seek_since(second * static_cast<std::uint64_t>(request.since_time()));
    }

    // The next lines that are wanted, some at most; none: that is all for now.
    std::vector<std::string> read()
    {
        std::vector<std::string> lines;
        while (lines.size() < lines_at_once && !is_past_ && journal_.next()) {
            const auto entry = journal_.entry();
            is_past_ = until_ > 0 && entry.usec > until_;
            if (is_past_ || entry.app.empty() || (!request_.app_name().empty() && entry.app != request_.app_name()))
                continue;
            for (const auto& line : text::split(entry.message, '\n')) // a protobuf string is UTF-8
                lines.push_back(text::is_utf8(line) ? line : text::printable(line));
        }
        return lines;
    }
    bool is_past() const noexcept { return is_past_; } // the time until which they were wanted
    void wait() { journal_.wait(); }

private:
    pod::Journal journal_;
    const v1alpha::GetLogsRequest& request_;
    std::uint64_t until_;
    bool is_past_ = false;
};

using Send = std::function<bool(const std::vector<std::string>&)>;

bool send_existing(Reader& reader, int last, const Send& send)
{
    std::deque<std::string> kept;
    for (auto lines = reader.read(); !lines.empty(); lines = reader.read()) {
        if (last <= 0) {
            if (!send(lines))
                return false;
            continue;
        }
        for (auto& line : lines)
            kept.push_back(std::move(line));
        while (kept.size() > static_cast<std::size_t>(last))
            kept.pop_front();
    }
    return kept.empty() || send({kept.begin(), kept.end()});
}

std::optional<Fd> wait_for_directory(pod::Pod& pod, bool follow, const Send& send)
{
    auto directory = pod::journal_directory(pod);
    while (follow && !directory && pod.refresh() == pod::State::running && send({})) {
        pod::wait_until(
            pod,
            [&](const pod::Pod& now) {
                directory = pod::journal_directory(now);
                return directory.has_value();
            },
            std::chrono::steady_clock::now() + std::chrono::milliseconds{500});
    }
    return directory;
}

} // namespace

void send_logs(pod::Pod pod, const v1alpha::GetLogsRequest& request, const Send& send)
{
    if (!request.app_name().empty())
        model::AppName::parse(request.app_name());
    if (!sys::stat_if_exists(pod.fd(), model::pod_dir::journal))
        fail(Error::Kind::unsupported, "logging unsupported for pod {}", text::quoted(pod.id().str()));
    auto directory = wait_for_directory(pod, request.follow(), send);
    if (!directory)
        return;
    Reader reader{pod::Journal{std::move(*directory)}, request};
    if (!send_existing(reader, request.lines(), send))
        return;
    for (bool goes_on = request.follow(); goes_on && !reader.is_past();) {
        goes_on = is_locked_exclusively(pod.fd(), "."); // asked first: what was written before the end is read after it
        if (goes_on)
            reader.wait();
        std::vector<std::string> lines;
        do {
            lines = reader.read();
            if (!send(lines))
                return;
        } while (!lines.empty());
    }
}

} // namespace rocket::api

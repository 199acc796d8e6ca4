// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/journal.hh"

#include <systemd/sd-journal.h>

#include "common/sys/sys.hh"

namespace rocket::pod
{

namespace
{

int check_journal(int result, const char* doing)
{
    if (result < 0)
        throw system_error(-result, doing);
    return result;
}

// Journald's own field: an app cannot speak in another's name.
std::string app_of(const std::string& unit)
{
    constexpr std::string_view before = "app-", after = ".service";
    if (!unit.starts_with(before) || !unit.ends_with(after) || unit.size() <= before.size() + after.size())
        return {};
    return unit.substr(before.size(), unit.size() - before.size() - after.size());
}

} // namespace

Journal::Journal(Fd directory) : directory_{std::move(directory)}
{
    sd_journal* journal = nullptr;
    check_journal(::sd_journal_open_directory_fd(&journal, directory_.get(), 0), "opening the pod's journal");
    journal_.reset(journal);
    ::sd_journal_set_data_threshold(journal, 1U << 20U); // bytes of one field
}

void Journal::Close::operator()(sd_journal* journal) const noexcept
{
    ::sd_journal_close(journal);
}

void Journal::seek_since(std::uint64_t usec)
{
    check_journal(::sd_journal_seek_realtime_usec(journal_.get(), usec), "seeking in the pod's journal");
}

bool Journal::next()
{
    return check_journal(::sd_journal_next(journal_.get()), "reading the pod's journal") > 0;
}

void Journal::wait()
{
    check_journal(::sd_journal_wait(journal_.get(), 500'000), "waiting for the pod's journal");
}

JournalEntry Journal::entry()
{
    JournalEntry entry;
    check_journal(::sd_journal_get_realtime_usec(journal_.get(), &entry.usec), "reading the time of an entry");
    entry.pid = field("_PID");
    entry.app = app_of(field("_SYSTEMD_UNIT"));
    // Said by the pod's supervisor for an app that has ended: nobody in the pod is without a pid.
    if (entry.app.empty() && entry.pid.empty() && field("_TRANSPORT") == "stdout")
        entry.app = field("SYSLOG_IDENTIFIER");
    entry.priority = field("PRIORITY");
    entry.message = field("MESSAGE");
    return entry;
}

// Empty if the entry has no such field, or a broken one.
std::string Journal::field(const char* name)
{
    const void* data = nullptr;
    std::size_t size = 0;
    if (::sd_journal_get_data(journal_.get(), name, &data, &size) < 0)
        return {};
    const std::string_view whole{static_cast<const char*>(data), size};
    const auto equals = whole.find('=');
    return equals == std::string_view::npos ? std::string{} : std::string{whole.substr(equals + 1)};
}

// journald makes its directory below the pod's when it starts: an app that has said nothing has none.
std::optional<Fd> journal_directory(const Pod& pod)
{
    auto machine = pod.id().str();
    std::erase(machine, '-');
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    const auto journal = sys::open_if_exists(pod.fd(), model::pod_dir::journal, flags);
    return journal ? sys::open_if_exists(journal->get(), machine, flags) : std::nullopt;
}

} // namespace rocket::pod

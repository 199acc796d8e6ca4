// SPDX-License-Identifier: Apache-2.0
// rocket logs: the pod's journal. Its files were written inside the pod and are untrusted: what reads them is nobody,
// and control characters do not reach a terminal.
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <deque>
#include <memory>
#include <thread>

#include "common/model/json_object.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/cli/values.hh"
#include "stage0/pod/journal.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

enum class LogFormat { text, cat, json };

struct Options {
    std::string app;
    bool follow = false;
    std::optional<std::uint64_t> since, until; // microseconds, CLOCK_REALTIME, as the journal has it
    int lines = -1;                            // all
    LogFormat format = LogFormat::text;
};

LogFormat parse_log_format(const std::string& name)
{
    if (name.empty() || name == "text")
        return LogFormat::text;
    if (name == "cat")
        return LogFormat::cat;
    if (name == "json")
        return LogFormat::json;
    fail(Error::Kind::usage, "Invalid format option: {}", text::printable(name));
}

// As `logs` itself prints it: 2026-01-02T03:04:05[.678901]Z. nullopt if it is not one.
std::optional<std::uint64_t> parse_time(const std::string& value)
{
    constexpr std::size_t digits = 6;
    std::tm parts{};
    const char* const rest = ::strptime(value.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::string fraction = rest != nullptr ? rest : "";
    if (!fraction.ends_with('Z'))
        return std::nullopt;
    fraction.pop_back();
    if (fraction.empty())
        fraction = ".0";
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 1 + digits)
        return std::nullopt;
    fraction.resize(1 + digits, '0');
    const auto usec = text::parse_decimal(std::string_view{fraction}.substr(1), 999'999);
    const auto seconds = ::timegm(&parts);
    if (!usec || seconds < 0)
        return std::nullopt;
    return static_cast<std::uint64_t>(seconds) * 1'000'000 + *usec;
}

std::uint64_t parse_moment(const std::string& value)
{
    if (const auto time = parse_time(value))
        return *time;
    const auto ago = parse_duration(value);
    if (ago <= Duration{0})
        fail(Error::Kind::usage, "must be longer than nothing");
    return static_cast<std::uint64_t>((now() - ago).time_since_epoch().count() / 1000);
}

void declare(Options& options, FlagSet& flags)
{
    flags.add("app", options.app, "only what this app has said");
    flags.add("follow", options.follow, "go on until the pod ends").short_for('f');
    flags.add_custom({"since", "only what was said at most so long ago (10m, 1h30m), or from a TIME on",
                      Flag::Value::required, "", "",
                      [&options](const std::string& value) { options.since = parse_moment(value); }});
    flags.add_custom({"until", "only what was said at least so long ago (10m, 1h30m), or up to a TIME",
                      Flag::Value::required, "", "",
                      [&options](const std::string& value) { options.until = parse_moment(value); }});
    flags
        .add_custom({"lines", "only the last so many lines", Flag::Value::required, "all", "",
                     [&options](const std::string& value) {
                         const auto count = text::parse_decimal(value, INT32_MAX);
                         if (!count)
                             fail(Error::Kind::usage, "must be a number of lines");
                         options.lines = static_cast<int>(*count);
                     }})
        .short_for('n');
    flags.add_custom({"format", "text: time, app and message; cat: the message; json: an object per line",
                      Flag::Value::required, "text", "",
                      [&options](const std::string& value) { options.format = parse_log_format(value); }});
}

std::string time_text(std::uint64_t usec)
{
    const auto seconds = static_cast<std::time_t>(usec / 1'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char date[32] = {};
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:06}Z", date, usec % 1'000'000);
}

// What was written to stdout has priority 6 (info), to stderr 4 (warning).
const char* stream_of(const pod::JournalEntry& entry)
{
    return entry.priority == "6" ? "stdout" : entry.priority == "4" ? "stderr" : "";
}

std::string message_for_terminal(const std::string& message)
{
    std::string lines;
    for (const auto& line : text::split(message, '\n'))
        lines += (lines.empty() ? "" : "\n") + text::printable(line);
    return lines;
}

void print(const Context& context, const pod::JournalEntry& entry, LogFormat format)
{
    static const bool to_terminal = ::isatty(STDOUT_FILENO) == 1;
    const auto message = to_terminal ? message_for_terminal(entry.message) : entry.message;
    if (format == LogFormat::cat) {
        context.out("{}\n", message);
    } else if (format == LogFormat::text) {
        const auto pid = entry.pid.empty() ? "" : fmt::format("[{}]", text::printable(entry.pid));
        context.out("{} {}{}: {}\n", time_text(entry.usec), text::printable(entry.app), pid, message);
    } else {
        json::ObjectWriter object;
        object.set("time_usec", entry.usec).set("app", entry.app).set_text("stream", stream_of(entry));
        object.set_text("pid", text::printable(entry.pid));
        object.set("message", text::is_utf8(entry.message) ? entry.message : text::printable(entry.message));
        print_json(context, std::move(object).done(), Format::json);
    }
}

// Everything that the journal's files could still lead us to, the process may not do any more. The group stays that of
// the pod's files, which it may read.
void become_nobody(int directory)
{
    constexpr uid_t nobody = 65534;
    if (::geteuid() != 0)
        return;
    const auto group = sys::stat(directory).st_gid;
    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    sys::check([&] { return ::setresgid(group, group, group); }, "changing to the group of the pod's journal");
    sys::check([] { return ::setresuid(nobody, nobody, nobody); }, "changing to nobody");
    sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "giving up new privileges");
}

class Printer
{
public:
    Printer(const Context& context, const Options& options) : context_{context}, options_{options} {}

    // All that is there now; the last lines only if that was asked for.
    void print_existing(pod::Journal& journal)
    {
        std::deque<pod::JournalEntry> last;
        while (journal.next()) {
            auto entry = journal.entry();
            if (options_.until && entry.usec > *options_.until)
                break; // they come in the order of their times
            if (!is_wanted(entry) || options_.lines == 0)
                continue;
            if (options_.lines < 0) {
                print(context_, entry, options_.format);
                continue;
            }
            last.push_back(std::move(entry));
            if (last.size() > static_cast<std::size_t>(options_.lines))
                last.pop_front();
        }
        for (const auto& entry : last)
            print(context_, entry, options_.format);
        std::fflush(stdout);
    }

    void print_new(pod::Journal& journal)
    {
        while (journal.next())
            if (const auto entry = journal.entry(); is_wanted(entry))
                print(context_, entry, options_.format);
        if (std::fflush(stdout) != 0)
            throw system_error(errno, "writing to stdout");
    }

private:
    bool is_wanted(const pod::JournalEntry& entry) const
    {
        return !entry.app.empty() && (options_.app.empty() || entry.app == options_.app);
    }

    const Context& context_;
    const Options& options_;
};

// An app may have said nothing yet.
std::optional<Fd> wait_for_directory(pod::Pod& pod, bool follow)
{
    auto directory = pod::journal_directory(pod);
    while (follow && !directory && pod.refresh() == pod::State::running) {
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
        directory = pod::journal_directory(pod);
    }
    return directory;
}

// The lock that says whether the pod runs can be tried without any right.
bool is_running(const Fd& lock)
{
    return is_locked_exclusively(lock.get(), ".");
}

void check(const Options& options)
{
    if (options.until && options.follow)
        fail(Error::Kind::usage, "--until does not go with --follow: what is still to come is later");
    if (options.until && options.since && *options.until < *options.since)
        fail(Error::Kind::usage, "--until is before --since");
}

// One that was removed from a mutable pod has left its lines.
void check_app(const pod::Pod& pod, const std::string& name)
{
    const auto app = model::AppName::parse(name);
    const auto info = pod::read_info(pod, pod::Detail::summary);
    const bool is_there = std::ranges::any_of(info.apps, [&](const auto& one) { return one.app.name == app; });
    if (!is_there && !info.is_mutable)
        fail(Error::Kind::usage, "no app {} in pod {}", text::quoted(name), text::quoted(pod.id().str()));
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 1)
        throw UsageRequested{};
    check(options);
    auto pod = pod::find(model::Layout{invocation.context.data_dir()}, invocation.args.front());
    if (!options.app.empty())
        check_app(pod, options.app);
    auto directory = wait_for_directory(pod, options.follow);
    if (!directory)
        return 0;
    const auto lock = pod.reopen();
    become_nobody(directory->get());
    pod::Journal journal{std::move(*directory)};
    if (options.since)
        journal.seek_since(*options.since);
    Printer printer{invocation.context, options};
    printer.print_existing(journal);
    while (options.follow) {
        const bool goes_on = is_running(lock); // asked first: what was written before the end is read after it
        if (goes_on)
            journal.wait();
        printer.print_new(journal);
        if (!goes_on)
            break;
    }
    return 0;
}

} // namespace

Command logs_command()
{
    return command<Options>(
        {.path = {"logs"},
         .arguments = "[--app=NAME] [--follow] [--since=WHEN] [--until=WHEN] [--lines=N] [--format=FORMAT] UUID",
         .purpose = "show what the apps of a pod have written",
         .description =
             "Prints what apps have written to stdout, stderr and syslog, from the pod's own journal, also "
             "when the pod\nhas ended. What goes to `attach` (--stdout=stream or tty) is not in it. A TIME is "
             "in UTC, as in the output:\n2026-01-02T03:04:05.678901Z."},
        declare, run);
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage1/host_notify.hh"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t interval_usec = 10'000'000;
constexpr const char* extension = "EXTEND_TIMEOUT_USEC=30000000";

// systemd takes the character after a backslash as it is, be it the end of the line.
std::string status_line(const std::string& status)
{
    std::string line = "STATUS=";
    for (const char c : status)
        line += c == '\\' ? "\\\\" : std::string(1, c);
    return line;
}

} // namespace

HostNotify::HostNotify(EventLoop& loop) : loop_{loop}, wanted_{std::getenv("NOTIFY_SOCKET") != nullptr}
{
    if (!wanted_ || ::sd_watchdog_enabled(0, &watchdog_usec_) <= 0)
        watchdog_usec_ = 0;
}

void HostNotify::starting(const std::string& status)
{
    if (!wanted_)
        return;
    ::sd_notify(0, ("STATUS=" + status).c_str());
    keep_extending();
}

void HostNotify::ready(const std::string& status)
{
    timer_.reset();
    is_ready_ = true;
    if (wanted_)
        ::sd_notify(0, ("READY=1\n" + status_line(app_status_.empty() ? status : app_status_)).c_str());
    if (watchdog_usec_ != 0 && !app_speaks_)
        keep_alive();
}

void HostNotify::stopping(const std::string& status)
{
    if (!wanted_)
        return;
    ::sd_notify(0, ("STOPPING=1\nSTATUS=" + status).c_str());
    keep_extending();
}

void HostNotify::relay(const AppNews& news, bool ends_pod)
{
    if (!wanted_)
        return;
    if (news.status)
        app_status_ = *news.status;
    std::vector<std::string> fields;
    const auto add = [&](bool said, std::string field) {
        if (said)
            fields.push_back(std::move(field));
    };
    // The pod's own READY waits for all apps. Once it is out, this one ends a reload.
    add(news.ready && is_ready_, "READY=1");
    add(news.reloading && is_ready_, "RELOADING=1");
    add(news.reloading && is_ready_ && news.monotonic_usec,
        fmt::format("MONOTONIC_USEC={}", news.monotonic_usec.value_or(0)));
    add(news.stopping && ends_pod, "STOPPING=1");
    add(news.status.has_value(), status_line(news.status.value_or("")));
    add(news.error.has_value(), fmt::format("ERRNO={}", news.error.value_or(0)));
    add(news.watchdog == AppNews::Watchdog::alive, "WATCHDOG=1");
    add(news.watchdog == AppNews::Watchdog::trigger, "WATCHDOG=trigger");
    if (!fields.empty())
        ::sd_notify(0, fmt::format("{}", fmt::join(fields, "\n")).c_str());
}

void HostNotify::keep_alive()
{
    ::sd_notify(0, "WATCHDOG=1");
    watchdog_ = loop_.after(watchdog_usec_ / 2, [this](std::uint32_t) { keep_alive(); });
}

void HostNotify::keep_extending()
{
    timer_ = loop_.after(interval_usec, [this](std::uint32_t) {
        ::sd_notify(0, extension);
        keep_extending();
    });
}

} // namespace rocket::stage1

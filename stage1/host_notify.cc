// SPDX-License-Identifier: Apache-2.0
#include "stage1/host_notify.hh"

#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t interval_usec = 10'000'000;
constexpr const char* extension = "EXTEND_TIMEOUT_USEC=30000000";

} // namespace

HostNotify::HostNotify(EventLoop& loop) : loop_{loop}, wanted_{std::getenv("NOTIFY_SOCKET") != nullptr} {}

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
    if (wanted_)
        ::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void HostNotify::stopping(const std::string& status)
{
    if (!wanted_)
        return;
    ::sd_notify(0, ("STOPPING=1\nSTATUS=" + status).c_str());
    keep_extending();
}

void HostNotify::keep_extending()
{
    timer_ = loop_.after(interval_usec, [this](std::uint32_t) {
        ::sd_notify(0, extension);
        keep_extending();
    });
}

} // namespace rocket::stage1

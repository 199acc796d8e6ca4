// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_notify.hh"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t message_limit = 4096;
constexpr std::size_t status_limit = 256;
constexpr std::uint64_t errno_limit = 4095;
constexpr unsigned messages_per_pause = 64;
constexpr std::uint64_t pause_usec = 1'000'000;

std::uint64_t now_usec()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

// Not in the middle of a character.
std::string_view cut(std::string_view text)
{
    if (text.size() <= status_limit)
        return text;
    auto end = status_limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

struct Field {
    std::string_view name;
    void (*take)(AppNews& news, std::string_view value);
};

constexpr Field fields[] = {
    {"ERRNO",
     [](AppNews& news, std::string_view value) {
         if (const auto number = text::parse_decimal(value, errno_limit))
             news.error = static_cast<int>(*number);
     }},
    {"MONOTONIC_USEC", [](AppNews& news, std::string_view value) { news.monotonic_usec = text::parse_decimal(value); }},
    {"READY", [](AppNews& news, std::string_view value) { news.ready = news.ready || value == "1"; }},
    {"RELOADING", [](AppNews& news, std::string_view value) { news.reloading = news.reloading || value == "1"; }},
    {"STATUS", [](AppNews& news, std::string_view value) { news.status = text::printable(cut(value)); }},
    {"STOPPING", [](AppNews& news, std::string_view value) { news.stopping = news.stopping || value == "1"; }},
    {"WATCHDOG",
     [](AppNews& news, std::string_view value) {
         if (value == "1" || value == "trigger")
             news.watchdog = value == "1" ? AppNews::Watchdog::alive : AppNews::Watchdog::trigger;
     }},
};

} // namespace

AppNews parse_news(std::string_view message)
{
    AppNews news;
    if (message.find('\0') != std::string_view::npos)
        return news;
    for (const auto& line : text::split(message, '\n')) {
        const auto equals = line.find('=');
        const auto* const field = std::ranges::find(fields, std::string_view{line}.substr(0, equals), &Field::name);
        if (equals != std::string::npos && field != std::end(fields))
            field->take(news, std::string_view{line}.substr(equals + 1));
    }
    return news;
}

AppNotify::AppNotify(EventLoop& loop, Fd socket, Told told)
    : loop_{loop}, socket_{std::move(socket)}, told_{std::move(told)}, budget_{messages_per_pause}
{
    watch();
}

void AppNotify::watch()
{
    readable_ = loop_.on_io(socket_.get(), EPOLLIN, [this](std::uint32_t) { read(); });
}

void AppNotify::read()
{
    char message[message_limit + 1];
    const auto size = ::recv(socket_.get(), message, sizeof message, MSG_DONTWAIT);
    if (size < 0)
        return;
    const auto now = now_usec();
    if (now - since_ >= pause_usec) {
        since_ = now;
        budget_ = messages_per_pause;
    }
    if (--budget_ == 0) { // its next sendmsg(2) blocks when the socket is full
        readable_.reset();
        pause_ = loop_.after(pause_usec, [this](std::uint32_t) { watch(); });
    }
    if (static_cast<std::size_t>(size) <= message_limit)
        told_(parse_news({message, static_cast<std::size_t>(size)}));
}

} // namespace rocket::stage1

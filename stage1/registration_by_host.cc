// SPDX-License-Identifier: Apache-2.0
#include "stage1/registration_by_host.hh"

#include <sys/epoll.h>

#include <cstdlib>

#include "common/model/own_users.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace words = model::own_users;

std::optional<RegistrationByHost> RegistrationByHost::take()
{
    const char* number = std::getenv(words::descriptor_variable);
    const auto fd = text::parse_decimal(number != nullptr ? number : "", INT32_MAX);
    ::unsetenv(words::descriptor_variable);
    if (!fd || *fd <= 2)
        return std::nullopt;
    sys::set_cloexec(static_cast<int>(*fd), true);
    return RegistrationByHost{Fd{static_cast<int>(*fd)}};
}

void RegistrationByHost::ask(const model::PodId& id, const Fd& init, EventLoop& loop, Failed failed)
{
    const Fd leader[] = {sys::duplicate(init.get())};
    send_fds(host_.get(), words::machine_request + id.str(), leader);
    answer_ = loop.on_io(host_.get(), EPOLLIN, [this, failed = std::move(failed)](std::uint32_t) {
        std::string why = "rocket-users ended without an answer";
        try {
            if (const auto answer = receive_fds(host_.get(), words::largest_answer))
                why = answer->text == words::granted ? "" : text::printable(answer->text);
        } catch (const Error& error) {
            why = error.what();
        }
        if (!why.empty())
            failed(why);
        answer_.reset();
        host_.reset();
    });
}

} // namespace rocket::stage1

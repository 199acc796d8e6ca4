// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/serve.hh"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/sys/libexec.hh"
#include "common/sys/sys.hh"

namespace rocket::cli
{

void exec_with_sockets(const std::string& program, std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), program.substr(program.rfind('/') + 1));
    std::vector<char*> words;
    for (auto& argument : arguments)
        words.push_back(argument.data());
    words.push_back(nullptr);
    const int sockets = ::sd_listen_fds(0);
    for (int socket = 0; socket < sockets; ++socket)
        sys::set_cloexec(SD_LISTEN_FDS_START + socket, false);
    ::execv(program.c_str(), words.data());
    throw system_error(errno, fmt::format("executing {}", text::quoted(program)));
}

void exec_service(const std::string& name, std::vector<std::string> arguments)
{
    exec_with_sockets(libexec_path(name), std::move(arguments));
}

} // namespace rocket::cli

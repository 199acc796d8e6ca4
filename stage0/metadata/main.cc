// SPDX-License-Identifier: Apache-2.0
// The metadata service as a program of its own (MDS-1): `rocket metadata-service` becomes it. Needs no privilege but to
// read the pods' directories. Its registration socket is the descriptor that systemd hands over, or made here.
//   metadata-service DATA-DIRECTORY PORT IDLE-SECONDS (0: it never ends by itself)
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "common/model/metadata.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/metadata/service.hh"
#include "stage0/service_main.hh"

namespace
{

using namespace rocket;

Fd make_registration_socket()
{
    const std::string path = model::host_run::metadata_socket;
    sys::make_dirs(path.substr(0, path.rfind('/')), 0755);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    Fd socket{
        sys::check([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }, "making a socket")};
    sys::unlink_if_exists(AT_FDCWD, path);
    const auto mask = ::umask(0117);
    sys::check([&] { return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name); },
               "binding {}", path);
    ::umask(mask);
    sys::check([&] { return ::listen(socket.get(), SOMAXCONN); }, "listening at {}", path);
    return socket;
}

Fd registration_socket()
{
    const int handed = ::sd_listen_fds(1);
    if (handed == 0)
        return make_registration_socket();
    if (handed != 1 || ::sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, nullptr, 0) <= 0)
        fail(Error::Kind::usage, "the service wants one unix stream socket from systemd, where pods are registered");
    return Fd{SD_LISTEN_FDS_START};
}

std::uint64_t number(const char* word, std::uint64_t max)
{
    const auto value = text::parse_decimal(word, max);
    if (!value)
        fail(Error::Kind::usage, "{} is no number up to {}", text::quoted(word), max);
    return *value;
}

metadata::Options options_from(char** words)
{
    metadata::Options options{.data_dir = words[0],
                              .state_dir = "/var/lib/rocket-metadata",
                              .port = static_cast<std::uint16_t>(number(words[1], UINT16_MAX)),
                              .idle = {}};
    if (const char* directory = std::getenv("STATE_DIRECTORY"); directory != nullptr && directory[0] == '/')
        options.state_dir = directory;
    if (const auto seconds = number(words[2], 86400); seconds > 0)
        options.idle = std::chrono::seconds{seconds};
    return options;
}

int serve(int argc, char** argv)
{
    if (argc != 4)
        fail(Error::Kind::usage, "usage: metadata-service DATA-DIRECTORY PORT IDLE-SECONDS");
    const auto signals = end_signals();
    metadata::Service service{options_from(argv + 1), registration_socket()};
    ::sd_notify(0, "READY=1");
    service.run(signals.get());
    ::sd_notify(0, "STOPPING=1");
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    return service_main("metadata-service", serve, argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
#include "stage0/metadata/service.hh"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"

namespace rocket::metadata
{

namespace
{

constexpr std::size_t longest_logged = 256; // of a path: whoever asks does not fill the host's journal
constexpr std::string_view version = "/acMetadata/v1";

bool is_root(int socket)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

// "/TOKEN/acMetadata/v1/pod/uuid" without the token; nothing else of it is written down (MDS-20).
struct Address {
    std::string token;
    std::string rest;
};
Address split(const std::string& path)
{
    const auto slash = path.find('/', 1);
    if (slash == std::string::npos)
        return {path.substr(std::min<std::size_t>(path.size(), 1)), ""};
    return {path.substr(1, slash - 1), path.substr(slash)};
}

} // namespace

Service::Service(const Options& options, Fd registration)
    : options_{options}, keys_{Keys::load_or_make(options.state_dir)}, store_{model::Layout{options.data_dir}},
      pods_{model::Layout{options.data_dir}, keys_}, registration_{std::move(registration),
                                                                   [this](const HttpRequest& request) {
                                                                       return register_pod(request);
                                                                   }}
{
    pods_.find_all();
    for (const auto& [id, pod] : pods_.all())
        listen_for(pod);
}

Response Service::register_pod(const HttpRequest& request)
{
    constexpr std::string_view prefix = "/pods/";
    if (!is_root(request.socket))
        return plain(403, "pods are registered by root");
    if (!request.path.starts_with(prefix))
        return plain(404, "no such path");
    if (request.method != "PUT")
        return {.status = 405, .body = "this is for PUT", .allow = "PUT"};
    if (request.has_query || !request.form || !request.form->empty())
        return plain(400, "what a pod is the service reads in its directory: no token, no manifest");
    try {
        const auto& pod = pods_.add(model::PodId::parse(std::string_view{request.path}.substr(prefix.size())));
        listen_for(pod);
        log::print("registered pod {}", pod.pod.id().str());
        return {.body = model::MetadataRegistration{options_.port, pod.token}.write(), .is_json = true};
    } catch (const Error& error) {
        log::print("not registered: {}", error.what());
        const bool is_unknown = error.kind() == Error::Kind::not_found;
        const bool is_malformed = error.kind() == Error::Kind::usage || error.kind() == Error::Kind::corrupt;
        return plain(is_unknown     ? 404
                     : is_malformed ? 400
                                    : 500,
                     fmt::format("{} (pods of {})", error.what(), options_.data_dir));
    }
}

void Service::listen_for(const RegisteredPod& pod)
{
    const auto& address = pod.record.listen;
    if (public_.contains(address))
        return;
    public_[address] =
        std::make_unique<HttpServer>(listen_tcp(address, options_.port),
                                     [this, address](const HttpRequest& request) { return tell(request, address); });
    log::print("listening at {} port {}", address, options_.port);
}

Response Service::tell(const HttpRequest& request, const std::string& listen)
{
    auto [token, rest] = split(request.path);
    const auto* pod = pods_.find(token, listen, request.peer);
    Response response;
    if (pod == nullptr)
        response = plain(401, "no such token");
    else if (!rest.starts_with(version))
        response = plain(404, "no such path");
    else
        response =
            answer({request.method, rest.substr(version.size()), request.form},
                   {pod->pod.id(), pod->pod.fd(), [this](const auto& id) { return store_.manifest_bytes(id); }}, keys_);
    log::print("{} {} {} {}", pod != nullptr ? pod->pod.id().str() : request.peer, text::printable(request.method),
               text::printable(rest.substr(0, longest_logged)), response.status);
    return response;
}

void Service::forget_ended()
{
    std::vector<model::PodId> ended;
    for (const auto& [id, pod] : pods_.all()) {
        pollfd supervisor{.fd = pod.supervisor.get(), .events = POLLIN, .revents = 0};
        if (::poll(&supervisor, 1, 0) > 0)
            ended.push_back(id);
    }
    for (const auto& id : ended)
        pods_.forget(id);
    if (!ended.empty())
        close_unused();
}

// Nothing listens at the gateway of a network that has no registered pod.
void Service::close_unused()
{
    std::erase_if(public_, [this](const auto& server) {
        const auto uses = [&](const auto& pod) { return pod.second.record.listen == server.first; };
        return std::ranges::none_of(pods_.all(), uses);
    });
}

std::vector<HttpServer*> Service::servers() const
{
    std::vector<HttpServer*> all{const_cast<HttpServer*>(&registration_)};
    for (const auto& [address, server] : public_)
        all.push_back(server.get());
    return all;
}

bool Service::is_idle() const
{
    return pods_.all().empty() && !registration_.has_connections();
}

int Service::timeout() const
{
    int shortest = is_idle() && options_.idle ? static_cast<int>(options_.idle->count()) * 1000 : -1;
    for (const auto* server : servers())
        if (const int wanted = server->timeout(); wanted >= 0 && (shortest < 0 || wanted < shortest))
            shortest = wanted;
    return shortest;
}

bool Service::wait(int signals)
{
    std::vector<pollfd> fds{{.fd = signals, .events = POLLIN, .revents = 0}};
    for (const auto* server : servers())
        fds.push_back({.fd = server->descriptor(), .events = POLLIN, .revents = 0});
    for (const auto& [id, pod] : pods_.all())
        fds.push_back({.fd = pod.supervisor.get(), .events = POLLIN, .revents = 0});
    if (::poll(fds.data(), fds.size(), timeout()) < 0 && errno != EINTR)
        throw system_error(errno, "waiting for pods and their questions");
    return fds.front().revents == 0;
}

void Service::run(int signals)
{
    auto busy_until = std::chrono::steady_clock::now();
    while (wait(signals)) {
        for (auto* server : servers())
            server->work();
        forget_ended();
        const auto now = std::chrono::steady_clock::now();
        if (!is_idle())
            busy_until = now;
        else if (options_.idle && now - busy_until >= *options_.idle)
            return;
    }
}

} // namespace rocket::metadata

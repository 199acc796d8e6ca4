// SPDX-License-Identifier: Apache-2.0
// The metadata service (chapter 16, cli 10.1): a socket where root registers pods, and one more for each gateway of
// theirs as long as there are pods behind it. Has one thread and waits for everything at once. On the registration
// socket PUT /pods/UUID is answered with where the service listens, and the pod's token (model::MetadataRegistration).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage0/metadata/http_server.hh"
#include "stage0/metadata/keys.hh"
#include "stage0/metadata/pods.hh"
#include "stage0/store/store.hh"

namespace rocket::metadata
{

struct Options {
    std::string data_dir;
    std::string state_dir; // where the key is
    std::uint16_t port = 18112;
    std::optional<std::chrono::seconds> idle; // it ends when nobody was registered for so long; nullopt: never
};

class Service
{
public:
    Service(const Options& options, Fd registration);

    void run(int signals); // until that descriptor (signalfd) is readable, or it was idle for long enough

private:
    Response register_pod(const HttpRequest& request);
    Response tell(const HttpRequest& request, const std::string& listen);
    void listen_for(const RegisteredPod& pod);
    void forget_ended();
    void close_unused();
    bool is_idle() const;
    int timeout() const;
    bool wait(int signals); // false: a signal
    std::vector<HttpServer*> servers() const;

    Options options_;
    Keys keys_;
    store::Store store_;
    Pods pods_;
    HttpServer registration_;
    std::map<std::string, std::unique_ptr<HttpServer>> public_; // by the address they listen at
};

} // namespace rocket::metadata

// SPDX-License-Identifier: Apache-2.0
// Attaching, the supervisor's side: the socket `attach` in the pod directory, the points of the apps, and the clients.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage1/attach/point.hh"
#include "stage1/attach/session.hh"
#include "stage1/listener.hh"

namespace rocket::stage1::attach
{

class Server
{
public:
    static constexpr std::size_t max_sessions = 64;

    // Nothing listens before listen(): a pod whose apps offer nothing has no socket.
    Server(EventLoop& loop, int pod_dir) : loop_{loop}, pod_dir_{pod_dir} {}

    Point& point(const std::string& app); // made with its first use
    void remove(const std::string& app);
    void listen();
    // Everybody gets what is queued and a goodbye; `done` follows when all are gone, within a bound.
    void finish(std::function<void()> done);

private:
    void accept(Fd connection);
    void on_over(const Session& session);

    EventLoop& loop_;
    int pod_dir_;
    std::map<std::string, std::unique_ptr<Point>> points_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::optional<Listener> listener_;
    std::function<void()> done_;
    Source cleaning_, deadline_;
};

} // namespace rocket::stage1::attach

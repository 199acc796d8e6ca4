// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/server.hh"

#include <algorithm>
#include <utility>

#include "common/model/layout.hh"

namespace rocket::stage1::attach
{

namespace
{

constexpr std::uint64_t finish_timeout_usec = 2'000'000;

} // namespace

Point& Server::point(const std::string& app)
{
    auto& point = points_[app];
    if (!point)
        point = std::make_unique<Point>(loop_);
    return *point;
}

void Server::remove(const std::string& app)
{
    points_.erase(app);
}

void Server::listen()
{
    if (!listener_)
        listener_.emplace(loop_, pod_dir_, model::pod_dir::attach_socket,
                          [this](Fd connection) { accept(std::move(connection)); });
}

void Server::accept(Fd connection)
{
    const auto find = [this](const std::string& app) {
        const auto found = points_.find(app);
        return found == points_.end() ? nullptr : found->second.get();
    };
    sessions_.push_back(
        std::make_unique<Session>(loop_, std::move(connection), find, [this](Session& session) { on_over(session); }));
    if (sessions_.size() > max_sessions)
        sessions_.back()->finish("too many clients are attached to the pod");
}

// It is still being called: destroyed a moment later.
void Server::on_over(const Session&)
{
    cleaning_ = loop_.after(0, [this](std::uint32_t) {
        std::erase_if(sessions_, [](const auto& session) { return session->is_over(); });
        if (sessions_.empty() && done_)
            std::exchange(done_, nullptr)();
    });
}

void Server::finish(std::function<void()> done)
{
    listener_.reset();
    if (sessions_.empty())
        return done();
    done_ = std::move(done);
    // The end of the pod does not wait for those who do not read.
    deadline_ = loop_.after(finish_timeout_usec, [this](std::uint32_t) {
        if (done_)
            std::exchange(done_, nullptr)();
    });
    for (std::size_t i = 0; i < sessions_.size(); ++i)
        sessions_[i]->finish("");
}

} // namespace rocket::stage1::attach

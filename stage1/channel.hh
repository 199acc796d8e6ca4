// SPDX-License-Identifier: Apache-2.0
// The two ends of what parent and child say to each other while a pod is set up. Parent to child: go. Child to parent:
// the apps as resolved, one message each, then either nothing more (the end is closed by the exec of systemd) or an
// error. Close-on-exec, so it never gets into the pod.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"
#include "stage1/app_spec.hh"

namespace rocket::stage1
{

class Channel
{
public:
    Channel() = default; // to nobody
    explicit Channel(Fd end) : end_{std::move(end)} {}
    void close() { end_.reset(); }
    int fd() const noexcept { return end_.get(); } // for waiting

    // The parent's side.
    void go(std::span<const Fd> fds = {}) const noexcept;
    AppSpec receive_one() const;                          // throws the child's error, or that it has ended
    std::vector<AppSpec> receive(std::size_t apps) const; // until the child has closed its end; throws its error
    std::optional<Error> error_if_any() const;            // what the child has said so far, without waiting

    // The child's side.
    std::vector<Fd> wait_for_go() const; // what go() was given; throws if the parent is gone
    bool parent_is_gone() const noexcept;
    void send(const AppSpec& app) const;
    void send(const Error& error) const noexcept;

private:
    Fd end_;
};

struct ChannelPair {
    Channel parent;
    Channel child;
};
ChannelPair make_channel();

} // namespace rocket::stage1

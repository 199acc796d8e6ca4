// SPDX-License-Identifier: Apache-2.0
// How the entry points app/add, app/rm, app/start and app/stop ask the supervisor of a mutable pod for something, and
// wait for its answer: over the socket `control` in the pod directory. A request is one line, "VERB APP"; the answer
// is "ok", or an error as Error::serialize() writes it. Both ends parse strictly.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/names.hh"
#include "common/sys/error.hh"
#include "stage1/event_loop.hh"
#include "stage1/listener.hh"

namespace rocket::stage1
{

enum class AppVerb { add, remove, start, stop };

struct AppRequest {
    AppVerb verb = AppVerb::add;
    model::AppName app;
};

std::optional<AppVerb> parse_verb(std::string_view word); // "add", "rm", "start", "stop"
std::string encode(const AppRequest& request);
AppRequest decode_app_request(std::string_view line); // without its end. Kind::corrupt

// The supervisor's side.
class AppControl
{
public:
    using Answer = std::function<void(const Error* error)>; // null: done. To be called once, at any time
    AppControl(EventLoop& loop, int pod_dir, std::function<void(const AppRequest&, Answer)> asked);

private:
    struct Connection;
    void accept(Fd socket);
    void on_readable(const std::shared_ptr<Connection>& connection);
    void drop(const Connection& connection);

    EventLoop& loop_;
    std::function<void(const AppRequest&, Answer)> asked_;
    std::list<std::shared_ptr<Connection>> connections_;
    Listener listener_;
};

// The other side: returns when it is done, throws why it is not. Kind::busy if the supervisor ends meanwhile.
void ask_supervisor(int pod_dir, const AppRequest& request);

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
// Sees when a command is killed while it adds an app to a mutable pod or removes one (L9). Such a command has written
// the app's name into the file `change` of the pod directory, which is locked as long as it lives. From then on the app
// is not shown any more; so it must not run on until somebody gives the next command.
#pragma once

#include <functional>

#include "common/model/names.hh"
#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class ChangeWatch
{
public:
    using Abandoned = std::function<void(const model::AppName&)>; // more than once for the same app maybe
    ChangeWatch(EventLoop& loop, int pod_dir, Abandoned abandoned);

private:
    void look();

    int pod_dir_;
    Abandoned abandoned_;
    Fd watch_; // inotify: the file was closed by somebody who could write it
    Source closed_;
};

} // namespace rocket::stage1

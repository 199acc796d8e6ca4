// SPDX-License-Identifier: Apache-2.0
#include "stage0/api/events.hh"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "common/model/pod_manifest.hh"
#include "common/sys/file.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/store/catalog.hh"

namespace rocket::api
{

namespace
{

using model::PodStage;

constexpr std::array stages{PodStage::prepare, PodStage::prepared, PodStage::run, PodStage::exited_garbage};
constexpr std::string_view result_suffix = ".json", started_suffix = ".started";

// Runs `act`; what it looks at may be gone already.
template <typename Act>
void if_still_there(Act act)
{
    try {
        act();
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::system)
            throw;
    }
}

std::optional<model::PodId> pod_id(const std::string& name)
{
    try {
        return model::PodId::parse(name);
    } catch (const Error&) {
        return std::nullopt;
    }
}

} // namespace

Events::Events(model::Layout layout)
    : layout_{std::move(layout)}, inotify_{sys::check([] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); },
                                                      "watching pods and images")}
{
    watch_all();
    for (const auto& place : pod::walk(layout_, {PodStage::run}))
        follow(place.id, false);
    for (const auto& entry : store::read_catalog(layout_))
        image_names_[entry.id.str()] = entry.name.str();
}

// Directories that are not there yet come with the first pod or image; watching one again changes nothing.
void Events::watch_all()
{
    for (const auto& parent : {layout_.data(), layout_.pods(), layout_.cas()})
        watch({Place::parent, parent});
    for (const auto stage : stages)
        watch({Place::stage, layout_.pods(stage), stage});
    watch({Place::images, layout_.images()});
}

void Events::watch(const Watched& what)
{
    constexpr std::uint32_t coming_and_going = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
    const int watch = ::inotify_add_watch(inotify_.get(), what.path.c_str(), coming_and_going);
    if (watch >= 0)
        watched_.insert_or_assign(watch, what);
    else if (errno != ENOENT)
        throw system_error(errno, fmt::format("watching {}", what.path));
}

void Events::tell(v1alpha::EventType type, const std::string& id, const std::string& from)
{
    auto& event = told_.emplace_back();
    event.set_type(type);
    event.set_id(id);
    event.set_from(from);
    event.set_time(std::time(nullptr));
}

// --- pods

void Events::follow(const model::PodId& id, bool is_new)
{
    auto& running = running_[id.str()];
    const auto path = layout_.pod(PodStage::run, id);
    watch({Place::pod, path, PodStage::run, id.str()});
    running.has_started = !is_new;
    if (!is_new) {
        if_still_there([&] {
            const auto dir = sys::open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
            for (const auto& name :
                 file::list_if_exists(dir.get(), model::pod_dir::status).value_or(std::vector<std::string>{})) {
                if (name.ends_with(result_suffix))
                    running.exited.insert(name.substr(0, name.size() - result_suffix.size()));
            }
            const auto manifest = model::PodManifest::parse(file::read(dir.get(), model::pod_dir::manifest));
            for (const auto& app : manifest.apps)
                running.started.insert(app.name.str());
        });
        watch({Place::status, path + "/" + model::pod_dir::status, PodStage::run, id.str()});
    }
    const auto pod = pod::Pod::open(layout_, PodStage::run, id);
    if (pod && pod->state() != pod::State::running && !is_new)
        running_.erase(id.str()); // it has ended long ago
    else if (pod)
        for (const auto& name : file::list(pod->fd(), "."))
            on_pod_file(id.str(), name); // what was written before we watched
}

void Events::on_pod_file(const std::string& id, const std::string& name)
{
    const auto found = running_.find(id);
    if (found == running_.end())
        return;
    auto& running = found->second;
    if (name == model::pod_dir::ppid && !running.supervisor) {
        const auto pod = pod::Pod::open(layout_, PodStage::run, model::PodId::parse(id));
        const auto pid = pod ? pod->supervisor() : std::nullopt;
        if (pid)
            running.supervisor = open_pidfd(*pid).value_or(Fd{});
    } else if (name == model::pod_dir::pid1 && !running.has_started) {
        running.has_started = true;
        tell(v1alpha::EVENT_TYPE_POD_STARTED, id);
    } else if (name == model::pod_dir::status) {
        watch({Place::status, layout_.pod(PodStage::run, model::PodId::parse(id)) + "/" + name, PodStage::run, id});
        look_at_status(id);
    } else if (name == model::pod_dir::supervisor_status) {
        on_ready(id);
    } else if (name == model::pod_dir::exit_record) {
        on_exit(id);
    }
}

void Events::look_at_status(const std::string& id)
{
    if_still_there([&] {
        const auto path = layout_.pod(PodStage::run, model::PodId::parse(id));
        for (const auto& name : file::list(AT_FDCWD, path + "/" + model::pod_dir::status))
            on_status_file(id, name);
    });
}

void Events::on_status_file(const std::string& id, const std::string& name)
{
    const auto found = running_.find(id);
    if (found == running_.end())
        return;
    auto& running = found->second;
    const auto app_started = [&](const std::string& app) {
        if (running.started.insert(app).second)
            tell(v1alpha::EVENT_TYPE_APP_STARTED, id, app);
        running.exited.erase(app);
    };
    if (name.ends_with(started_suffix)) { // of a mutable pod; perhaps not for the first time
        const auto app = name.substr(0, name.size() - started_suffix.size());
        if (running.exited.contains(app))
            running.started.erase(app);
        app_started(app);
    } else if (name.ends_with(result_suffix)) {
        const auto app = name.substr(0, name.size() - result_suffix.size());
        if (running.exited.contains(app))
            return;
        app_started(app);
        running.exited.insert(app);
        tell(v1alpha::EVENT_TYPE_APP_EXITED, id, app);
    }
}

// All apps are up (those of a mutable pod say so themselves).
void Events::on_ready(const std::string& id)
{
    if_still_there([&] {
        const auto pod = pod::Pod::open(layout_, PodStage::run, model::PodId::parse(id));
        if (!pod)
            return;
        const auto info = pod::read_info(*pod, pod::Detail::summary);
        if (info.is_mutable)
            return;
        for (const auto& app : info.apps)
            if (running_[id].started.insert(app.app.name.str()).second)
                tell(v1alpha::EVENT_TYPE_APP_STARTED, id, app.app.name.str());
    });
}

void Events::on_exit(const std::string& id)
{
    look_at_status(id); // events of different directories come in any order
    if (running_.erase(id) > 0)
        tell(v1alpha::EVENT_TYPE_POD_EXITED, id);
}

void Events::on_pod_moved(PodStage stage, bool came, const std::string& name)
{
    const auto id = pod_id(name);
    if (!id)
        return;
    if (!came) {
        vanishing_.emplace(id->str(), stage);
        return;
    }
    if (stage == PodStage::prepared)
        tell(v1alpha::EVENT_TYPE_POD_PREPARED, id->str());
    else if (stage == PodStage::run)
        follow(*id, true);
}

void Events::check_vanished()
{
    for (const auto& vanished : std::exchange(vanishing_, {})) {
        const auto& id = vanished.first;
        const auto is_in = [&](PodStage each) {
            return sys::stat_if_exists(AT_FDCWD, layout_.pod(each, model::PodId::parse(id))).has_value();
        };
        if (std::ranges::any_of(stages, is_in))
            continue;
        on_exit(id);
        tell(vanished.second == PodStage::prepare ? v1alpha::EVENT_TYPE_POD_PREPARE_ABORTED
                                                  : v1alpha::EVENT_TYPE_POD_GARBAGE_COLLECTED,
             id);
    }
}

// One that was killed writes nothing.
void Events::check_supervisors()
{
    std::vector<std::string> ended;
    for (const auto& [id, running] : running_) {
        pollfd supervisor{.fd = running.supervisor.get(), .events = POLLIN, .revents = 0};
        if (running.supervisor && ::poll(&supervisor, 1, 0) > 0)
            ended.push_back(id);
    }
    for (const auto& id : ended)
        on_exit(id);
}

// --- images

void Events::on_image(bool came, const std::string& name)
{
    if (!name.starts_with("sha512-"))
        return;
    if (!came) {
        tell(v1alpha::EVENT_TYPE_IMAGE_REMOVED, name, image_names_[name]);
        image_names_.erase(name);
        return;
    }
    if_still_there([&] {
        const auto entry = store::read_entry(layout_, model::ImageId::parse(name));
        if (entry && image_names_.emplace(name, entry->name.str()).second)
            tell(v1alpha::EVENT_TYPE_IMAGE_IMPORTED, name, entry->name.str());
    });
}

// --- all of it

void Events::on_event(const Watched& where, std::uint32_t mask, const std::string& name)
{
    const bool came = (mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    switch (where.place) {
    case Place::parent:
        if (came)
            watch_all();
        break;
    case Place::stage:
        on_pod_moved(where.stage, came, name);
        break;
    case Place::images:
        on_image(came, name);
        break;
    case Place::pod:
        if (came)
            on_pod_file(where.id, name);
        break;
    case Place::status:
        if (came)
            on_status_file(where.id, name);
        break;
    }
}

std::vector<v1alpha::Event> Events::wait(std::chrono::milliseconds patience)
{
    std::vector<pollfd> fds{{.fd = inotify_.get(), .events = POLLIN, .revents = 0}};
    for (const auto& [id, running] : running_)
        if (running.supervisor)
            fds.push_back({.fd = running.supervisor.get(), .events = POLLIN, .revents = 0});
    if (::poll(fds.data(), fds.size(), static_cast<int>(patience.count())) < 0 && errno != EINTR)
        throw system_error(errno, "waiting for events");
    alignas(inotify_event) std::array<char, 16U << 10U> buffer{};
    for (;;) {
        const auto size = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (size <= 0)
            break;
        for (const char* at = buffer.data(); at < buffer.data() + size;) {
            const auto& event = *reinterpret_cast<const inotify_event*>(at);
            at += sizeof event + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0)
                fail(Error::Kind::busy, "more has happened than could be followed: listen again");
            const auto where = watched_.find(event.wd);
            if (where == watched_.end())
                continue;
            if ((event.mask & IN_IGNORED) != 0)
                watched_.erase(where);
            else if (event.len > 0)
                on_event(Watched{where->second}, event.mask, event.name);
        }
    }
    check_supervisors();
    check_vanished();
    return std::exchange(told_, {});
}

} // namespace rocket::api

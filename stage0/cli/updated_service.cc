// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/updated_service.hh"

#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/run_line.hh"
#include "stage0/store/directories.hh"

namespace rocket::cli
{

using text::quoted;
using update::Images;
using update::Outcome;

namespace
{

constexpr int exit_went_back = 1;
constexpr std::size_t short_digits = 12;

// "NAME: sha512-0123456789ab, ..." for each image that is another one in `other`.
std::string difference(const Images& images, const Images& other)
{
    std::vector<std::string> parts;
    for (const auto& [reference, id] : images) {
        const auto there = other.find(reference);
        if (there == other.end() || there->second != id)
            parts.push_back(fmt::format("{} ({})", text::printable(reference), id.shortened(short_digits)));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

// The same, and what they were: "NAME (sha512-0123456789ab, was sha512-ba9876543210), ..."
std::string change_of(const Images& images, const Images& before)
{
    std::vector<std::string> parts;
    for (const auto& [reference, id] : images) {
        const auto there = before.find(reference);
        if (there == before.end())
            parts.push_back(fmt::format("{} ({})", text::printable(reference), id.shortened(short_digits)));
        else if (there->second != id)
            parts.push_back(fmt::format("{} ({}, was {})", text::printable(reference), id.shortened(short_digits),
                                        there->second.shortened(short_digits)));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

// What it starts; whose pods and images are other data of another user is none of ours.
std::vector<std::string> command_of(const update::HostUnit& unit)
{
    if (const auto user = unit.user(); !user.empty() && user != "root" && user != "0")
        throw Error{
            Error::Kind::unsupported,
            fmt::format("it runs as user {}, and only services of root can be updated", quoted(user)),
            fmt::format("fetch its images with --pull-policy=update as root, then systemctl restart {}", unit.name())};
    return unit.command();
}

// A service that never ran may be the first that needs it.
model::Layout layout_of(const std::string& data)
{
    model::Layout layout{data};
    store::make_pod_directories(layout);
    return layout;
}

} // namespace

UpdatedService::UpdatedService(const Invocation& invocation, const UpdateOptions& options, const std::string& unit)
    : invocation_{invocation}, options_{options}, host_{update::unit_name(unit)}, requests_{images_of_run_line(
                                                                                      invocation.table,
                                                                                      command_of(host_), context_)},
      layout_{layout_of(context_.data_dir())}, deployment_{layout_, host_.name()}
{
}

// What a command that was killed has left open, from what runs now. The status is that of going back.
int UpdatedService::settle_interrupted()
{
    if (deployment_->history.empty() || deployment_->history.back().outcome != Outcome::trying)
        return 0;
    host_.wait_for_job(options_.start_timeout); // it goes on without whoever asked for it
    auto& last = deployment_->history.back();
    const auto& pins = deployment_->pins;
    const bool went_back = !pins.empty() && pins == last.before;
    const bool rolled_back = !pins.empty() && pins == last.after;
    if (last.reason.empty())
        last.reason = "the update was interrupted";
    const auto now = running();
    const bool is_up = host_.is_active();
    if (is_up && now == last.before && !went_back) {
        deployment_->pins.clear();
        deployment_->history.pop_back(); // nothing was done yet
    } else if ((is_up && now == last.after && !went_back) || host_.is_stopped()) {
        last.outcome = rolled_back ? Outcome::rolled_back : Outcome::kept;
    } else if (is_up && now == last.before) {
        last.outcome = Outcome::went_back;
    } else if (rolled_back) {
        last.outcome = Outcome::failed;
    } else {
        return go_back(last);
    }
    deployment_.save();
    return 0;
}

std::optional<pod::PodInfo> UpdatedService::pod() const
{
    const auto pid = host_.main_pid();
    for (const auto& place : pod::walk(layout_, {model::PodStage::run})) {
        const auto pod = pod::Pod::open(layout_, place.stage, place.id);
        if (pid != 0 && pod && pod->state() == pod::State::running && pod->supervisor() == pid)
            return pod::read_info(*pod, pod::Detail::summary);
    }
    return std::nullopt;
}

Images UpdatedService::images_of(const pod::PodInfo& pod) const
{
    Images images;
    for (std::size_t index = 0; index < requests_.size(); ++index)
        if (const auto& id = pod.apps[index].app.image.id)
            images.emplace(requests_[index].image, *id);
    return images;
}

// What its pod was made of, or else what it is held at.
Images UpdatedService::running() const
{
    const auto info = pod();
    return info && info->apps.size() == requests_.size() ? images_of(*info) : deployment_->pins;
}

// Why it does not run as it should: it is not up, does not stay up, or an app of it is not well.
std::optional<std::string> UpdatedService::restart_and_look()
{
    if (auto why = host_.restart(options_.start_timeout, options_.settle))
        return why;
    if (const auto info = pod())
        for (const auto& app : info->apps)
            if (app.health && app.health->status == "unhealthy")
                return fmt::format("app {} is unhealthy{}{}", quoted(app.app.name.str()),
                                   app.health->output.empty() ? "" : ": ", text::printable(app.health->output));
    return std::nullopt;
}

Images UpdatedService::fetch()
{
    ImageSource source{context_};
    Images images;
    for (auto request : requests_) {
        request.policy = image::PullPolicy::update;
        images.emplace(request.image, in_context(quoted(request.image), [&] { return source.acquire(request).id; }));
    }
    return images;
}

int UpdatedService::go_back(update::Change& change)
{
    if (change.before.size() != change.after.size()) {
        change.outcome = Outcome::failed;
        deployment_.save();
        log::print("{} does not run with {}: {}; what it ran before is not known", host_.name(),
                   difference(change.after, change.before), change.reason);
        return exit_went_back;
    }
    log::print("{} does not run with {}: {}; going back", host_.name(), difference(change.after, change.before),
               change.reason);
    deployment_->pins = change.before;
    deployment_.save(); // not yet as done: whoever finds it so goes on from here
    const auto why = restart_and_look();
    change.outcome = Outcome::went_back;
    deployment_.save();
    if (why)
        throw Error{
            Error::Kind::system,
            fmt::format("{} does not run with the old images either: {}", quoted(host_.name()), *why),
            fmt::format("it is held at them: look at journalctl -u {0}, then systemctl restart {0}", host_.name())};
    say("went back to " + change_of(change.before, change.after));
    return exit_went_back;
}

int UpdatedService::restart(Images before, Images after, Outcome wanted)
{
    deployment_->add({.time_ns = sys::realtime_nsec(), .before = std::move(before), .after = std::move(after)});
    deployment_->pins = wanted == Outcome::rolled_back ? deployment_->history.back().after : Images{};
    deployment_.save();
    auto& change = deployment_->history.back();
    if (const auto why = restart_and_look()) {
        change.reason = *why;
        if (wanted != Outcome::rolled_back)
            return go_back(change);
        change.outcome = Outcome::failed;
        deployment_.save();
        fail(Error::Kind::system, "{} does not run with {}: {}", quoted(host_.name()),
             difference(change.after, change.before), *why);
    }
    change.outcome = wanted;
    deployment_.save();
    say(fmt::format("{} {}", wanted == Outcome::rolled_back ? "rolled back to" : "updated to",
                    change_of(change.after, change.before)));
    return 0;
}

int UpdatedService::update()
{
    if (!options_.check_only && settle_interrupted() != 0)
        return exit_went_back;
    const auto before = running();
    auto after = fetch();
    if (after == before) {
        if (!std::exchange(deployment_->pins, {}).empty())
            deployment_.save(); // what it was held at is what the references stand for again
        say("up to date");
        return 0;
    }
    if (deployment_->is_bad(after) && !options_.retry) {
        say(fmt::format("stays as it is: {} did not run before, or was rolled back from; --retry tries it again",
                        difference(after, before)));
        return 0;
    }
    if (options_.check_only) {
        say("would be updated to " + change_of(after, before));
        return 0;
    }
    if (!host_.is_active()) {
        deployment_->pins.clear();
        deployment_.save();
        say("is not running, and will be started with " + difference(after, before));
        return 0;
    }
    return restart(before, std::move(after), Outcome::kept);
}

// A service that somebody has stopped is not started: it is held at what it is to be started with.
int UpdatedService::roll_back()
{
    settle_interrupted();
    auto now = running();
    if (now.empty())
        now = deployment_->latest();
    const auto* previous = deployment_->previous(now);
    if (previous == nullptr)
        fail(Error::Kind::not_found, "{} {}: there is nothing to go back to", quoted(host_.name()),
             deployment_->history.empty() ? "was not updated" : "has the oldest images that are known of it");
    const ImageSource source{context_};
    for (const auto& [reference, id] : *previous)
        if (!store::Store{layout_}.has(id))
            fail(Error::Kind::not_found, "image {} of {} is not in the store any more", quoted(id.key()),
                 quoted(reference));
    if (!host_.is_stopped())
        return restart(now, *previous, Outcome::rolled_back);
    const auto after = *previous;
    deployment_->pins = after;
    deployment_->add({.time_ns = sys::realtime_nsec(), .before = now, .after = after, .outcome = Outcome::rolled_back});
    deployment_.save();
    say("is not running, and will be started with " + change_of(after, now));
    return 0;
}

} // namespace rocket::cli

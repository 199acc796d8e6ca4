// SPDX-License-Identifier: Apache-2.0
// update and rollback: services that run pods, restarted with other images, and back again if that does not go well.
#include <algorithm>
#include <iterator>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/run_line.hh"
#include "stage0/cli/values.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/quadlet/load.hh"
#include "stage0/store/directories.hh"
#include "stage0/update/deployment.hh"
#include "stage0/update/host_unit.hh"

namespace rocket::cli
{

namespace
{

using text::quoted;
using update::Images;
using update::Outcome;

constexpr int exit_went_back = 1;
constexpr std::size_t short_digits = 12;
constexpr Duration default_settle = std::chrono::seconds{10};

struct Options {
    bool check_only = false;
    bool all = false;
    bool retry = false;
    Duration settle = default_settle;
};

void declare_settle(Options& options, FlagSet& flags)
{
    flags.add("settle", options.settle, "how long a service has to stay up after its restart");
}

void declare(Options& options, FlagSet& flags)
{
    flags.add("all", options.all, "all services whose .container or .pod file says AutoUpdate=registry");
    flags.add("check", options.check_only, "fetch the images and say what would change, but restart nothing");
    flags.add("retry", options.retry, "also try images that did not run before, or were rolled back from");
    declare_settle(options, flags);
}

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

// One service, from what it runs to what it is to run.
class Service
{
public:
    Service(const Invocation& invocation, const Options& options, const std::string& unit);
    int update();
    int roll_back();

private:
    int settle_interrupted();
    std::optional<pod::PodInfo> pod() const;
    Images images_of(const pod::PodInfo& pod) const;
    Images running() const;
    std::optional<std::string> restart_and_look();
    Images fetch();
    int restart(Images before, Images after, Outcome wanted);
    int go_back(update::Change& change);
    void say(const std::string& what) { invocation_.context.out("{}: {}\n", host_.name(), what); }

    const Invocation& invocation_;
    const Options& options_;
    update::HostUnit host_;
    Context context_;
    std::vector<image::Request> requests_;
    model::Layout layout_;
    update::OwnedDeployment deployment_;
};

Service::Service(const Invocation& invocation, const Options& options, const std::string& unit)
    : invocation_{invocation}, options_{options}, host_{update::unit_name(unit)}, requests_{images_of_run_line(
                                                                                      invocation.table,
                                                                                      command_of(host_), context_)},
      layout_{layout_of(context_.data_dir())}, deployment_{layout_, host_.name()}
{
}

// What a command that was killed has left open, from what runs now. The status is that of going back.
int Service::settle_interrupted()
{
    if (deployment_->history.empty() || deployment_->history.back().outcome != Outcome::trying)
        return 0;
    host_.wait_for_job(); // it goes on without whoever asked for it
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

std::optional<pod::PodInfo> Service::pod() const
{
    const auto pid = host_.main_pid();
    for (const auto& place : pod::walk(layout_, {model::PodStage::run})) {
        const auto pod = pod::Pod::open(layout_, place.stage, place.id);
        if (pid != 0 && pod && pod->state() == pod::State::running && pod->supervisor() == pid)
            return pod::read_info(*pod, pod::Detail::summary);
    }
    return std::nullopt;
}

Images Service::images_of(const pod::PodInfo& pod) const
{
    Images images;
    for (std::size_t index = 0; index < requests_.size(); ++index)
        if (const auto& id = pod.apps[index].app.image.id)
            images.emplace(requests_[index].image, *id);
    return images;
}

// What its pod was made of, or else what it is held at.
Images Service::running() const
{
    const auto info = pod();
    return info && info->apps.size() == requests_.size() ? images_of(*info) : deployment_->pins;
}

// Why it does not run as it should: it is not up, does not stay up, or an app of it is not well.
std::optional<std::string> Service::restart_and_look()
{
    if (auto why = host_.restart(options_.settle))
        return why;
    if (const auto info = pod())
        for (const auto& app : info->apps)
            if (app.health && app.health->status == "unhealthy")
                return fmt::format("app {} is unhealthy{}{}", quoted(app.app.name.str()),
                                   app.health->output.empty() ? "" : ": ", text::printable(app.health->output));
    return std::nullopt;
}

Images Service::fetch()
{
    ImageSource source{context_};
    Images images;
    for (auto request : requests_) {
        request.policy = image::PullPolicy::update;
        images.emplace(request.image, in_context(quoted(request.image), [&] { return source.acquire(request).id; }));
    }
    return images;
}

int Service::go_back(update::Change& change)
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

int Service::restart(Images before, Images after, Outcome wanted)
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

int Service::update()
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
int Service::roll_back()
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

std::vector<std::string> automatic_units()
{
    std::vector<std::string> units;
    for (const auto& unit : quadlet::translate(quadlet::load(quadlet::standard_directories()), ROCKET_PROGRAM).units)
        if (unit.auto_update && unit.name.ends_with("@.service"))
            std::ranges::copy(update::running_instances(unit.name), std::back_inserter(units));
        else if (unit.auto_update)
            units.push_back(unit.name);
    return units;
}

// Each by itself: one that fails does not keep the others from being updated.
int for_each(const Invocation& invocation, const Options& options, const std::vector<std::string>& units,
             int (Service::*act)())
{
    int status = 0;
    for (const auto& unit : units) {
        try {
            Service service{invocation, options, unit};
            status = std::max(status, (service.*act)());
        } catch (const FlagError& error) { // of the unit's command line
            log::print("{}: {}", unit, error.what());
            status = exit_failure;
        } catch (const CommandError& error) {
            log::error(error, fmt::format("{}: {}", unit, error.context));
            status = exit_failure;
        } catch (const Error& error) {
            log::error(error, unit);
            status = exit_failure;
        }
    }
    return status;
}

int run_update(Invocation& invocation, const Options& options)
{
    if (invocation.args.empty() != options.all)
        throw UsageRequested{};
    return for_each(invocation, options, options.all ? automatic_units() : invocation.args, &Service::update);
}

int run_rollback(Invocation& invocation, const Options& options)
{
    if (invocation.args.empty())
        throw UsageRequested{};
    return for_each(invocation, options, invocation.args, &Service::roll_back);
}

} // namespace

Command update_command()
{
    return command<Options>(
        {.path = {"update"},
         .arguments = "--all | UNIT...",
         .purpose = "restart services with new images, and go back if they do not run",
         .description =
             "Looks up again what the images of a service of the host stand for, fetches and verifies them, and "
             "restarts the\nservice if they are others. If it does not come up, as its Type= says, does not stay "
             "up for --settle, or an app\nof it is unhealthy then, it is restarted with the images it had, and held at "
             "them until an update succeeds; the\nstatus is 1 then. The service's own options say which images it may "
             "run. One that is stopped is not started.\nWhat was done is shown by `rocket history`.",
         .needs_root = true},
        declare, run_update);
}

Command rollback_command()
{
    return command<Options>(
        {.path = {"rollback"},
         .arguments = "UNIT...",
         .purpose = "restart services with the images they ran before their last update",
         .description =
             "The service is held at these images until the next update; the newer ones are only tried "
             "again with\n`rocket update --retry`. Once more goes back to the images before these. A service "
             "that is stopped is not started.",
         .needs_root = true},
        declare_settle, run_rollback);
}

} // namespace rocket::cli

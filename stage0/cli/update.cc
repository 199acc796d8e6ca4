// SPDX-License-Identifier: Apache-2.0
// update and rollback: services that run pods, restarted with other images, and back again if that does not go well.
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/run_line.hh"
#include "stage0/cli/values.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/quadlet/load.hh"
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

// One service, from what it runs to what it is to run.
class Service
{
public:
    Service(const Invocation& invocation, const Options& options, const std::string& unit);
    int update();
    int roll_back();

private:
    void settle_interrupted();
    Images running() const;
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
    : invocation_{invocation}, options_{options}, host_{update::unit_name(unit)},
      requests_{images_of_run_line(invocation.table, host_.command(), context_)}, layout_{context_.data_dir()},
      deployment_{layout_, host_.name()}
{
    settle_interrupted();
}

// What an update that was killed has left open.
void Service::settle_interrupted()
{
    if (deployment_->history.empty() || deployment_->history.back().outcome != Outcome::trying)
        return;
    auto& last = deployment_->history.back();
    last.outcome = host_.is_active() ? Outcome::kept : Outcome::failed;
    last.reason = "the update was interrupted";
    deployment_.save();
}

// What its pod was made of, or else what it is held at.
Images Service::running() const
{
    const auto pid = host_.main_pid();
    for (const auto& place : pod::walk(layout_, {model::PodStage::run})) {
        const auto pod = pod::Pod::open(layout_, place.stage, place.id);
        if (pid == 0 || !pod || pod->state() != pod::State::running || pod->supervisor() != pid)
            continue;
        const auto info = pod::read_info(*pod, pod::Detail::summary);
        if (info.apps.size() != requests_.size())
            break;
        Images images;
        for (std::size_t index = 0; index < requests_.size(); ++index)
            if (const auto& id = info.apps[index].app.image.id)
                images.emplace(requests_[index].image, *id);
        return images;
    }
    return deployment_->pins;
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
    change.outcome = Outcome::went_back;
    deployment_->pins = change.before;
    deployment_.save();
    if (const auto why = host_.restart(options_.settle))
        fail(Error::Kind::system, "{} does not run with the old images either: {}", quoted(host_.name()), *why);
    say("went back to " + difference(change.before, change.after));
    return exit_went_back;
}

int Service::restart(Images before, Images after, Outcome wanted)
{
    deployment_->add({.time_ns = sys::realtime_nsec(), .before = std::move(before), .after = std::move(after)});
    deployment_->pins = wanted == Outcome::rolled_back ? deployment_->history.back().after : Images{};
    deployment_.save();
    auto& change = deployment_->history.back();
    if (const auto why = host_.restart(options_.settle)) {
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
                    difference(change.after, change.before)));
    return 0;
}

int Service::update()
{
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
        say("would be updated to " + difference(after, before));
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

int Service::roll_back()
{
    const auto* previous = deployment_->previous();
    const auto now = running();
    if (previous == nullptr || *previous == now)
        fail(Error::Kind::not_found, "{} was not updated: there is nothing to go back to", quoted(host_.name()));
    const ImageSource source{context_};
    for (const auto& [reference, id] : *previous)
        if (!store::Store{layout_}.has(id))
            fail(Error::Kind::not_found, "image {} of {} is not in the store any more", quoted(id.key()),
                 quoted(reference));
    return restart(now, *previous, Outcome::rolled_back);
}

std::vector<std::string> automatic_units()
{
    std::vector<std::string> units;
    for (const auto& unit : quadlet::translate(quadlet::load(quadlet::standard_directories()), ROCKET_PROGRAM).units)
        if (unit.auto_update)
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
             "restarts the\nservice if they are others. If it does not come up, as its Type= says, or does not stay "
             "up, it is restarted\nwith the images it had, and held at them until an update succeeds. The status is 1 "
             "then.\nWhat was done is shown by `rocket history`.",
         .needs_root = true},
        declare, run_update);
}

Command rollback_command()
{
    return command<Options>(
        {.path = {"rollback"},
         .arguments = "UNIT...",
         .purpose = "restart services with the images they ran before their last update",
         .description = "The service is held at these images until the next update; the newer ones are only tried "
                        "again with\n`rocket update --retry`.",
         .needs_root = true},
        declare_settle, run_rollback);
}

} // namespace rocket::cli

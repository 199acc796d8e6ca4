// SPDX-License-Identifier: Apache-2.0
// update and rollback of services that run pods (updated_service.hh).
#include <algorithm>
#include <iterator>

#include "common/sys/log.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/updated_service.hh"
#include "stage0/quadlet/load.hh"

namespace rocket::cli
{

namespace
{

void declare_patience(UpdateOptions& options, FlagSet& flags)
{
    flags.add("start-timeout", options.start_timeout, "how long a service has to come up, if its unit sets no less");
    flags.add("settle", options.settle, "how long a service has to stay up after its restart");
}

void declare(UpdateOptions& options, FlagSet& flags)
{
    flags.add("all", options.all, "all services whose .container or .pod file says AutoUpdate=registry");
    flags.add("check", options.check_only, "fetch the images and say what would change, but restart nothing");
    flags.add("retry", options.retry, "also try images that did not run before, or were rolled back from");
    declare_patience(options, flags);
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
int for_each(const Invocation& invocation, const UpdateOptions& options, const std::vector<std::string>& units,
             int (UpdatedService::*act)())
{
    int status = 0;
    for (const auto& unit : units) {
        try {
            UpdatedService service{invocation, options, unit};
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

int run_update(Invocation& invocation, const UpdateOptions& options)
{
    if (invocation.args.empty() != options.all)
        throw UsageRequested{};
    return for_each(invocation, options, options.all ? automatic_units() : invocation.args, &UpdatedService::update);
}

int run_rollback(Invocation& invocation, const UpdateOptions& options)
{
    if (invocation.args.empty())
        throw UsageRequested{};
    return for_each(invocation, options, invocation.args, &UpdatedService::roll_back);
}

} // namespace

Command update_command()
{
    return command<UpdateOptions>(
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
    return command<UpdateOptions>(
        {.path = {"rollback"},
         .arguments = "UNIT...",
         .purpose = "restart services with the images they ran before their last update",
         .description =
             "The service is held at these images until the next update; the newer ones are only tried "
             "again with\n`rocket update --retry`. Once more goes back to the images before these. A service "
             "that is stopped is not started.",
         .needs_root = true},
        declare_patience, run_rollback);
}

} // namespace rocket::cli

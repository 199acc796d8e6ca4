// SPDX-License-Identifier: Apache-2.0
#include "stage1/resolve.hh"

#include <unistd.h>

#include <algorithm>

#include "common/model/app_policy.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage1/capabilities.hh"
#include "stage1/environment.hh"
#include "stage1/executable.hh"
#include "stage1/pod.hh"
#include "stage1/resources.hh"
#include "stage1/seccomp.hh"
#include "stage1/security_labels.hh"
#include "stage1/users.hh"

namespace rocket::stage1
{

namespace
{

void check_text(std::string_view text, const char* what)
{
    if (!text::is_utf8(text) || text.find('\0') != std::string_view::npos)
        throw Error{Error::Kind::usage, fmt::format("{} {} is not valid UTF-8", what, text::quoted(text)),
                    "arguments and environment reach an app as UTF-8 only"};
}

std::string working_directory(const model::App& app, const InRoot& root)
{
    auto path = app.working_directory.empty() ? "/" : app.working_directory;
    if (!root.open_if_exists(path, O_PATH | O_DIRECTORY))
        throw Error{Error::Kind::usage,
                    fmt::format("working directory {} does not exist in the app's root", text::quoted(path)),
                    "it is not made by itself: choose another one with --working-dir, or mount a volume there"};
    return path;
}

Search search_for(const AppSpec& spec)
{
    return {.path = *find_variable(spec.environment, "PATH"),
            .working_directory = spec.working_directory,
            .who = {spec.uid, spec.gid, spec.supplementary_gids}};
}

// nullopt: no handler, or one that does nothing (APP-9).
std::optional<std::vector<std::string>> handler(const model::App& app, model::EventHandler::Event event)
{
    const auto* const found = app.handler(event);
    return found != nullptr && !found->exec.empty() ? std::optional{found->exec} : std::nullopt;
}

// Finds `exec`; why it cannot be executed goes to `problem`.
Command command(const std::vector<std::string>& exec, const AppSpec& spec, const InRoot& root, std::string& problem)
{
    for (const auto& word : exec)
        check_text(word, "argument");
    auto found = find_executable(root, exec.front(), search_for(spec));
    problem = std::move(found.problem);
    return {std::move(found.path), exec};
}

void resolve_commands(AppSpec& spec, const model::App& app, const InRoot& root)
{
    if (app.exec.empty())
        throw Error{Error::Kind::usage, "no executable: the image says nothing about what to run",
                    "give one with --exec"};
    std::string problem;
    spec.main = command(app.exec, spec, root, spec.exec_error);
    if (const auto exec = handler(app, model::EventHandler::Event::pre_start)) {
        spec.pre_start = command(*exec, spec, root, problem);
        if (!problem.empty() && spec.exec_error.empty())
            spec.exec_error = "pre-start handler: " + problem;
    }
    if (const auto exec = handler(app, model::EventHandler::Event::post_stop)) {
        auto found = command(*exec, spec, root, problem);
        if (problem.empty())
            spec.post_stop = std::move(found);
        else // changes nothing but what is said (APP-11)
            spec.reports.push_back("post-stop handler: " + problem);
    }
}

// An app whose check could never pass is not started.
void resolve_checks(AppSpec& spec, const model::HealthCheck& check, const InRoot& root)
{
    const auto resolve_one = [&](std::optional<Command>& into, const std::vector<std::string>& exec) {
        if (exec.empty())
            return;
        std::string problem;
        into = command(exec, spec, root, problem);
        if (!problem.empty() && spec.exec_error.empty())
            spec.exec_error = "health check: " + problem;
    };
    resolve_one(spec.health_check, check.command);
    resolve_one(spec.startup_check, check.startup_command);
}

void check_ids(const AppSpec& spec, std::uint32_t count)
{
    auto ids = spec.supplementary_gids;
    ids.insert(ids.end(), {spec.uid, spec.gid});
    for (const auto id : ids)
        if (id >= count)
            throw Error{Error::Kind::usage,
                        fmt::format("user or group {} is none of the pod's, which go to {}", id, count - 1),
                        "choose another one with --user and --group, or do without --private-users"};
}

void resolve_identity(AppSpec& spec, const model::App& app, const PodFacts& facts, const InRoot& root)
{
    spec.uid = resolve_user(app.user, root);
    spec.gid = resolve_group(app.group, root);
    spec.supplementary_gids = app.supplementary_gids;
    if (!facts.private_users)
        return;
    spec.first_id = facts.private_users->first;
    check_ids(spec, facts.private_users->count);
}

void resolve_confinement(AppSpec& spec, const model::Isolators& isolators, const PodFacts& facts)
{
    const auto capabilities = isolators.capabilities();
    spec.bounding_set = facts.restrict_capabilities ? bounding_set(capabilities, facts.last_capability, spec.reports)
                                                    : all_capabilities(facts.last_capability);
    // In the bounding set alone a capability is of no use to them: files that would give it do not under a filter. The
    // default set is nobody's wish, so that it gives nothing (S11; CAP-5 would keep what was asked for from them, too).
    const bool named = capabilities && capabilities->mode == model::CapabilitySet::Mode::retain;
    if (facts.restrict_capabilities && named && spec.uid != 0)
        spec.ambient_set = spec.bounding_set;
    if (facts.restrict_seccomp) {
        const auto isolator = isolators.seccomp();
        spec.seccomp = isolator ? seccomp_policy(*isolator, spec.bounding_set, spec.reports)
                                : default_seccomp_policy(spec.bounding_set);
    }
    // A filter that a set-user-id program could be tricked with, or that it could get rid of, is none (SEC-13).
    const bool has_filter = spec.seccomp.mode != SeccompPolicy::Mode::off;
    spec.no_new_privileges = isolators.no_new_privileges() || (has_filter && spec.uid != 0);
    spec.restrict_devices = facts.restrict_paths;
    if (const auto found = facts.devices.find(spec.name); found != facts.devices.end())
        spec.devices = found->second;
}

// The app's process takes them on itself, when its filter is in force already.
void check_filter_lets_labels(const AppSpec& spec)
{
    if (spec.labels != SecurityLabels{} && (!allows(spec.seccomp, "openat") || !allows(spec.seccomp, "write")))
        throw Error{Error::Kind::unsupported,
                    "the app's system call filter refuses what its AppArmor profile or SELinux context takes",
                    "allow openat and write in the seccomp isolator"};
}

void report_rest(AppSpec& spec, const model::Isolators& isolators)
{
    for (const auto& name : isolators.unknown_names())
        spec.reports.push_back(fmt::format("isolator {} is not known here, ignored", text::quoted(name)));
    for (const auto& name : isolators.out_of_scope(model::Scope::app))
        spec.reports.push_back(fmt::format("isolator {} is not one for apps, ignored", text::quoted(name)));
}

} // namespace

AppSpec resolve(const model::RuntimeApp& runtime_app, const model::ImageManifest& image, const model::Isolators& pod,
                const PodFacts& facts, const InRoot& root)
{
    const auto& app = runtime_app.app.value();
    AppSpec spec;
    spec.name = runtime_app.name.str();
    resolve_identity(spec, app, facts, root);
    spec.environment = app_environment(app.environment, spec.name, facts);
    for (const auto& variable : spec.environment)
        check_text(variable.value, "environment value");
    spec.working_directory = working_directory(app, root);
    resolve_commands(spec, app, root);
    resolve_checks(spec, model::policy_of(runtime_app.annotations).health, root);
    resolve_confinement(spec, app.isolators, facts);
    spec.labels = labels_of(app.isolators, pod, facts, spec.reports);
    check_filter_lets_labels(spec);
    spec.resources = app_resources(app.isolators, facts, spec.reports);
    spec.oom_score_adjust = oom_score_adjust(app.isolators, facts, spec.reports);
    spec.notifies = says_when_ready(runtime_app, image);
    if (facts.watchdog_usec != 0 && facts.speaker == spec.name)
        spec.watchdog_usec = facts.watchdog_usec;
    report_rest(spec, app.isolators);
    return spec;
}

} // namespace rocket::stage1

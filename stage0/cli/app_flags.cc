// SPDX-License-Identifier: Apache-2.0
// The flags that bind to the image before them (cli 7.2).
#include <algorithm>

#include "common/model/app_policy.hh"
#include "common/model/streams.hh"
#include "common/sys/text.hh"
#include "stage0/cli/app_args.hh"
#include "stage0/cli/environment_file.hh"

namespace rocket::cli
{

namespace
{

using model::CapabilitySet;
using model::Isolator;
using model::SeccompSet;
using text::quoted;

template <typename... Arg>
[[noreturn]] void reject(fmt::format_string<Arg...> reason, Arg&&... arg)
{
    throw Error{Error::Kind::usage, fmt::format(reason, std::forward<Arg>(arg)...)};
}

Flag flag(std::string name, std::string help, std::function<void(const std::string&)> set)
{
    return {std::move(name), std::move(help), Flag::Value::required, "\"\"", "", std::move(set)};
}

// KEY=VALUE; the key must not be empty.
std::pair<std::string, std::string> key_value(const std::string& text, std::string_view what)
{
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
        reject("{} must be specified as key=value", what);
    return {text.substr(0, equals), text.substr(equals + 1)};
}

template <typename Field>
void set_once(std::optional<Field>& field, const std::string& value, std::string_view flag_name)
{
    if (field)
        reject("--{} specified multiple times for the same image", flag_name);
    field = value;
}

Isolator memory(const std::string& value)
{
    constexpr std::int64_t least = 4096; // a page; a limit below is a mistaken unit
    const auto limit = model::Quantity::parse(value);
    if (limit.ceil_units() < least)
        reject("memory limit of {} bytes too low. Try a reasonable value, such as --memory=16M", limit.ceil_units());
    return model::memory_isolator(limit);
}

std::int64_t integer(const std::string& value)
{
    const auto parsed = text::parse_signed(value, INT64_MIN, INT64_MAX);
    if (!parsed)
        reject("must be an integer");
    return *parsed;
}

Isolator cpu_shares(const std::string& value)
{
    const auto shares = integer(value);
    if (shares < 0)
        reject("must be between 2 and 262144");
    return model::cpu_shares_isolator(static_cast<std::uint64_t>(shares));
}

bool is_capability_set(const Isolator& isolator, CapabilitySet::Mode mode)
{
    const std::string_view name =
        mode == CapabilitySet::Mode::retain ? "os/linux/capabilities-retain-set" : "os/linux/capabilities-remove-set";
    return isolator.name == name;
}

void set_capabilities(pod::AppRequest& app, CapabilitySet::Mode mode, const std::string& value)
{
    const auto other = mode == CapabilitySet::Mode::retain ? CapabilitySet::Mode::remove : CapabilitySet::Mode::retain;
    auto& isolators = app.replacing_isolators;
    if (std::ranges::any_of(isolators, [&](const auto& isolator) { return is_capability_set(isolator, other); }))
        reject("error: cannot use both --caps-retain and --caps-remove on the same image");
    std::vector<std::string> names;
    for (auto& name : text::split(value, ','))
        if (!name.empty())
            names.push_back(std::move(name));
    isolators.push_back(model::capabilities_isolator({mode, std::move(names)}));
}

// mode=retain|remove[,errno=E],CALL,... in any order
Isolator seccomp(const std::string& value)
{
    std::optional<SeccompSet::Mode> mode;
    SeccompSet set{SeccompSet::Mode::retain, {}, {}};
    for (auto& part : text::split(value, ',')) {
        const auto equals = part.find('=');
        const auto key = part.substr(0, equals);
        if (equals == std::string::npos) {
            set.calls.push_back(std::move(part));
        } else if (key == "mode") {
            const auto word = part.substr(equals + 1);
            if (mode || (word != "retain" && word != "remove"))
                reject("invalid seccomp mode command-line override");
            mode = word == "retain" ? SeccompSet::Mode::retain : SeccompSet::Mode::remove;
        } else if (key == "errno") {
            set.errno_name = part.substr(equals + 1);
        } else {
            reject("invalid seccomp command-line override");
        }
    }
    if (!mode)
        reject("invalid seccomp mode command-line override");
    set.mode = *mode;
    return model::seccomp_isolator(set);
}

} // namespace

void AppArgs::declare_signature(FlagSet& flags)
{
    flags.add_custom(
        flag("signature", "signature of the preceding image: a file or an https URL", [this](const std::string& value) {
            auto& app = current("signature");
            if (!app.signature.empty())
                reject("--signature specified multiple times for the same image");
            app.signature = value;
        }));
}

void AppArgs::declare_execution(FlagSet& flags)
{
    flags.add_custom(flag("exec", "override the exec command for the preceding image",
                          [this](const std::string& value) { set_once(current("exec").exec, value, "exec"); }));
    flags.add_custom(flag("name", "set the name of the preceding app",
                          [this](const std::string& value) { current("name").name = model::AppName::parse(value); }));
    flags.add_custom(flag("working-dir", "override the working directory of the preceding image",
                          [this](const std::string& value) { current("working-dir").working_directory = value; }));
    flags.add_custom(
        {"readonly-rootfs", "if true, the app's root file system is read-only", Flag::Value::lenient, "false", "true",
         [this](const std::string& value) { current("readonly-rootfs").read_only_root_fs = bool_value(value); }});
    flags.add_custom({"no-new-privileges", "if true, programs of the preceding app gain nothing by set-id bits",
                      Flag::Value::lenient, "false", "true", [this](const std::string& value) {
                          current("no-new-privileges")
                              .replacing_isolators.push_back(model::no_new_privileges_isolator(bool_value(value)));
                      }});
    flags.add_custom(flag("mount", "mount a volume in the preceding app, or in all apps: volume=NAME,target=PATH",
                          [this](const std::string& value) {
                              (apps.empty() ? mounts : apps.back().mounts).push_back(model::Mount::parse(value));
                          }));
    flags.add_custom(flag("environment-file",
                          "file of environment variables of the preceding app: a NAME=VALUE per line; --environment "
                          "behind it counts more",
                          [this](const std::string& value) {
                              auto& app = current("environment-file");
                              model::Environment read;
                              read_environment_file(value, read);
                              for (const auto& variable : read)
                                  model::set(app.environment, variable.name, variable.value);
                          }));
    flags.add_custom(flag("environment", "set an environment variable of the preceding app: NAME=VALUE",
                          [this](const std::string& value) {
                              auto& app = current("environment");
                              const auto [name, content] = key_value(value, "environment variable");
                              model::check_environment_name(name);
                              model::set(app.environment, name, content);
                          }));
}

void AppArgs::declare_identity(FlagSet& flags)
{
    flags.add_custom(flag("user", "user override of the preceding image: number, name or /path",
                          [this](const std::string& value) { current("user").user = value; }));
    flags.add_custom(flag("group", "group override of the preceding image: number, name or /path",
                          [this](const std::string& value) { current("group").group = value; }));
    flags.add_custom(flag("supplementary-gids", "supplementary group ids override of the preceding image",
                          [this](const std::string& value) {
                              auto& gids = current("supplementary-gids").supplementary_gids;
                              for (const auto& word : text::split(value, ',')) {
                                  const auto gid = text::parse_id(word);
                                  if (!gid)
                                      reject("{} is not a group id", quoted(word));
                                  if (std::ranges::find(gids, *gid) == gids.end())
                                      gids.push_back(*gid);
                              }
                          }));
}

void AppArgs::declare_isolators(FlagSet& flags)
{
    const auto append = [&](const std::string& name, std::string help, Isolator (*make)(const std::string&)) {
        flags.add_custom(flag(name, std::move(help), [this, name, make](const std::string& value) {
            current(name).appended_isolators.push_back(make(value));
        }));
    };
    const auto replace = [&](const std::string& name, std::string help, Isolator (*make)(const std::string&)) {
        flags.add_custom(flag(name, std::move(help), [this, name, make](const std::string& value) {
            current(name).replacing_isolators.push_back(make(value));
        }));
    };
    append("memory", "memory limit of the preceding image (example: '--memory=16Mi', '--memory=50M')", memory);
    append("cpu", "cpu limit of the preceding image (example: '--cpu=500m')",
           [](const std::string& value) { return model::cpu_isolator(model::Quantity::parse(value)); });
    replace("cpu-shares", "cpu-shares of the preceding image (example: '--cpu-shares=2048')", cpu_shares);
    replace("oom-score-adj", "oom-score-adj of the preceding image (example: '--oom-score-adj=-999')",
            [](const std::string& value) { return model::oom_score_adj_isolator(integer(value)); });
    replace("seccomp", "seccomp filter override (example: '--seccomp mode=retain,errno=EPERM,chmod,chown')", seccomp);

    const auto capabilities = [&](const std::string& name, CapabilitySet::Mode mode, std::string help) -> Flag& {
        return flags.add_custom(flag(name, std::move(help), [this, name, mode](const std::string& value) {
            set_capabilities(current(name), mode, value);
        }));
    };
    using Mode = CapabilitySet::Mode;
    capabilities("caps-retain", Mode::retain, "capabilities to retain in the preceding image: CAP_A,CAP_B");
    capabilities("caps-remove", Mode::remove, "capabilities to remove in the preceding image: CAP_A,CAP_B");
    capabilities("cap-retain", Mode::retain, "").deprecate("use --caps-retain instead");
    capabilities("cap-remove", Mode::remove, "").deprecate("use --caps-remove instead");
}

// --NAME=VALUE as the annotation rocket/NAME, which is checked here and once more where it is followed.
void AppArgs::annotate(const std::string& flag_name, const std::string& value)
{
    auto& app = current(flag_name);
    const auto name = model::AcIdentifier::parse("rocket/" + flag_name);
    if (flag_name != "health-cmd" || value != model::health_of_image)
        model::check_policy_setting({.name = name, .value = value});
    model::set(app.annotations, name, value);
}

void AppArgs::declare_metadata(FlagSet& flags)
{
    flags.add_custom(
        flag("annotation", "set an annotation of the preceding app: NAME=VALUE", [this](const std::string& value) {
            auto& app = current("annotation");
            const auto [name, content] = key_value(value, "annotation");
            model::set(app.annotations, model::AcIdentifier::parse(name), content);
        }));
    const auto map = [&](const std::string& name, std::map<std::string, std::string> pod::AppRequest::*field) {
        flags.add_custom(flag(name, fmt::format("set a {} of the preceding app: NAME=VALUE", name),
                              [this, name, field](const std::string& value) {
                                  auto [key, content] = key_value(value, name);
                                  (current(name).*field)[key] = std::move(content);
                              }));
    };
    map("user-annotation", &pod::AppRequest::user_annotations);
    map("user-label", &pod::AppRequest::user_labels);
}

void AppArgs::declare_health(FlagSet& flags)
{
    const auto add = [&](const std::string& name, std::string help) {
        flags.add_custom(
            flag(name, std::move(help), [this, name](const std::string& value) { annotate(name, value); }));
    };
    add("notify",
        "when the preceding app counts as started: started (it runs), ready (it says so), speaker (so, and it "
        "speaks for the pod) or healthy (a check has passed)");
    add("health-cmd", "check of the preceding app's health: text for /bin/sh, a JSON array of words, image (the check "
                      "that the image has, if it has one) or none");
    add("health-interval", "how long after a check the next one follows (30s)");
    add("health-on-failure", "what is done to the preceding app when it is unhealthy: none, kill, restart or stop");
    add("health-retries", "how many checks in a row have to fail for the preceding app to be unhealthy (3)");
    add("health-start-interval", "the interval in the start period (5s)");
    add("health-start-period", "how long after its start failed checks of the preceding app do not count (0)");
    add("health-startup-cmd", "check of the preceding app instead of --health-cmd until it has passed");
    add("health-startup-interval", "how long after such a check the next one follows (30s)");
    add("health-startup-retries",
        "how many of them in a row have to fail for the preceding app to be unhealthy; 0, the "
        "default: however many fail");
    add("health-startup-success", "how many of them in a row have to pass (1)");
    add("health-startup-timeout", "how long such a check may take (30s)");
    add("health-timeout", "how long a check may take (30s)");
}

void AppArgs::declare_streams(FlagSet& flags)
{
    const auto stream = [&](const std::string& name, std::string help) {
        flags.add_custom(flag(name, std::move(help), [this, name](const std::string& value) {
            if (apps.empty())
                reject("--{} must follow an application", name);
            model::parse_stream_mode(name, value);
            model::set(apps.back().annotations, model::stream_annotation(name), value);
        }));
    };
    stream("stdin", "stdin of the preceding app: null (the default), stream or tty for `attach`, or interactive");
    stream("stdout",
           "stdout of the preceding app: log (the default), null, stream or tty for `attach`, or interactive");
    stream("stderr",
           "stderr of the preceding app: log (the default), null, stream or tty for `attach`, or interactive");
}

void AppArgs::declare(FlagSet& flags)
{
    declare_signature(flags);
    declare_execution(flags);
    declare_identity(flags);
    declare_isolators(flags);
    declare_metadata(flags);
    declare_health(flags);
    declare_streams(flags);
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
// rocket explain: what isolation each app of a pod has, where each piece of it comes from, whether the kernel has it as
// it was meant, and what this host lacks.
#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/findings.hh"
#include "stage0/cli/keys_of_flags.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/pod/confinement.hh"
#include "stage0/pod/guarded_places.hh"
#include "stage0/pod/origins.hh"
#include "stage0/pod/own_user_facts.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/quadlet/unit_file.hh"
#include "stage0/update/deployment.hh"
#include "stage0/update/host_unit.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

struct Options {
    std::string format;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is text");
}

// What is known of one app.
struct Explained {
    const pod::AppInfo& app;
    std::vector<pod::Origin> origins;
    std::optional<pod::Confinement> meant = {};
    std::optional<pod::Running> running = {};
    std::vector<pod::GuardedPlace> places = {};
    std::vector<std::string> differences = {};
    std::string problem = {}; // why the two above could not be found out
};

// A device may be a volume; else the place is what every app has.
const pod::Origin& origin_of(const Explained& app, const pod::GuardedPlace& place)
{
    static const pod::Origin by_default{.what = {}, .value = {}, .from = "default", .by = {}};
    const auto found = std::ranges::find(app.origins, "volume " + place.path, &pod::Origin::what);
    return found != app.origins.end() ? *found : by_default;
}

class Explanation
{
public:
    Explanation(const Context& context, const pod::Pod& pod, std::string source)
        : context_{context}, pod_{pod}, info_{pod::read_info(pod, pod::Detail::full)}, source_{std::move(source)}
    {
        if (info_.pid)
            machine_ = pod::machine_of(pod, static_cast<pid_t>(*info_.pid));
        read_options();
        read_findings();
        const auto text = file::read_if_exists(pod.fd(), pod::origins_file);
        auto origins = text ? pod::read_origins(*text) : pod::Origins{};
        for (const auto& app : info_.apps)
            apps_.push_back(explain(app, origins[app.app.name.str()]));
    }

    void print() const;
    json::Value to_json() const;

private:
    Explained explain(const pod::AppInfo& app, std::vector<pod::Origin> origins) const;
    void read_options();
    void read_findings();
    std::string place_of(const pod::AppInfo& app, const pod::Origin& origin) const;
    void print(const Explained& app) const;
    json::Value to_json(const Explained& app) const;

    const Context& context_;
    const pod::Pod& pod_;
    pod::PodInfo info_;
    std::string source_; // the file that the unit was made from; may be empty
    std::optional<pod::Origin> machine_;
    std::vector<std::string> options_; // of the pod as a whole, as its supervisor has got them
    std::vector<std::pair<const doctor::Check*, doctor::Finding>> findings_;
    std::vector<Explained> apps_;
};

// Those of the stage1 contract: --net=..., --private-users=..., --disable-...
void Explanation::read_options()
{
    const auto supervisor = pod_.supervisor();
    if (info_.state != pod::State::running || !supervisor)
        return;
    const auto line = file::read_if_exists(AT_FDCWD, fmt::format("/proc/{}/cmdline", *supervisor), 1U << 16U);
    for (auto& word : text::split(line.value_or(""), '\0'))
        if (word.starts_with("--"))
            options_.push_back(std::move(word));
}

void Explanation::read_findings()
{
    const auto places = places_of(context_);
    for (const auto& check : doctor::checks())
        if (auto finding = doctor::look(check, places); finding.state != doctor::State::fine)
            findings_.emplace_back(&check, std::move(finding));
}

Explained Explanation::explain(const pod::AppInfo& app, std::vector<pod::Origin> origins) const
{
    Explained result{.app = app, .origins = std::move(origins)};
    try {
        if (result.origins.empty())
            if (const auto text = file::read_if_exists(
                    pod_.fd(), fmt::format("{}/{}", pod::added_origins_directory(app.app.name), pod::origins_file)))
                result.origins = pod::read_origins(*text)[app.app.name.str()];
        if (auto lacking = pod::lacking_set_ids(pod_, app.app.name))
            result.origins.push_back(std::move(*lacking));
        result.meant = pod::intended(pod_, app.app.name);
        if (const auto supervisor = pod_.supervisor(); result.meant && supervisor)
            result.meant = pod::as_host_counts(*result.meant, *supervisor);
        if (info_.state == pod::State::running)
            result.running = pod::running(pod_, app.app.name);
        if (result.running)
            result.places = pod::guarded_places(result.running->pid);
    } catch (const Error& error) { // what confines an app is for root to read
        result.problem = error.innermost();
    }
    if (result.meant && result.running)
        result.differences = pod::differences(*result.meant, *result.running);
    return result;
}

// The line of the unit's own file, or of the file of an app of a pod, that has become the flag.
std::string Explanation::place_of(const pod::AppInfo& app, const pod::Origin& origin) const
{
    if (source_.empty() || origin.from != "flag")
        return {};
    auto path = source_;
    if (path.ends_with(".pod"))
        path = path.substr(0, path.rfind('/') + 1) + app.app.name.str() + ".container";
    const auto text = file::read_if_exists(AT_FDCWD, path, 1U << 20U);
    if (!text)
        return {};
    quadlet::UnitFile unit{.name = path.substr(path.rfind('/') + 1), .path = path};
    unit.add(*text, path);
    for (const auto& known : keys_of_flags)
        if (known.flag == origin.by)
            if (const auto* const entry = unit.last("Container", known.key))
                return fmt::format("{} {}=", entry->place, entry->key);
    return {};
}

json::Value numbers(const pod::Confinement& confinement)
{
    return json::ObjectWriter{}
        .set("uid", std::uint64_t{confinement.uid})
        .set("gid", std::uint64_t{confinement.gid})
        .set("bounding_set", pod::capability_names(confinement.bounding_set))
        .set("ambient_set", pod::capability_names(confinement.ambient_set))
        .set("no_new_privileges", confinement.no_new_privileges)
        .set("system_call_filter", confinement.has_filter)
        .set("limits", json::to_json(confinement.limits))
        .done();
}

json::Value Explanation::to_json(const Explained& app) const
{
    json::Array origins;
    for (const auto& origin : app.origins)
        origins.push_back(json::ObjectWriter{}
                              .set("what", origin.what)
                              .set("value", origin.value)
                              .set("from", origin.from)
                              .set_text("by", origin.by)
                              .set_text("place", place_of(app.app, origin))
                              .done());
    json::ObjectWriter object;
    object.set("name", app.app.app.name.str()).set("origins", std::move(origins));
    json::Array places;
    for (const auto& place : app.places)
        places.push_back(json::ObjectWriter{}
                             .set("path", place.path)
                             .set("is", place.is)
                             .set("from", origin_of(app, place).from)
                             .set_text("by", origin_of(app, place).by)
                             .set_text("place", place_of(app.app, origin_of(app, place)))
                             .done());
    if (app.meant)
        object.set("meant", numbers(*app.meant));
    if (app.running) {
        json::ObjectWriter namespaces;
        for (const auto& [name, own] : app.running->own_namespaces)
            namespaces.set(name, own ? "own" : "host's");
        object.set("pid", std::int64_t{app.running->pid})
            .set("kernel", numbers(app.running->confinement))
            .set("effective_set", pod::capability_names(app.running->effective_set))
            .set("namespaces", std::move(namespaces).done())
            .set("paths", std::move(places));
    }
    object.set("differences", json::to_json(app.differences)).set("reports", json::to_json(app.app.reports));
    object.set_text("unknown_because", app.problem);
    return std::move(object).done();
}

json::Value Explanation::to_json() const
{
    json::Array apps, host;
    for (const auto& app : apps_)
        apps.push_back(to_json(app));
    for (const auto& [check, finding] : findings_)
        host.push_back(cli::to_json(*check, finding));
    json::ObjectWriter object;
    object.set("pod", info_.id.str()).set("state", name_of(info_.state)).set_text("source", source_);
    if (machine_)
        object.set("machine", json::ObjectWriter{}
                                  .set("name", machine_->value)
                                  .set("from", machine_->from)
                                  .set_text("by", machine_->by)
                                  .done());
    object.set("options", json::to_json(options_)).set("apps", std::move(apps)).set("host", std::move(host));
    return std::move(object).done();
}

void Explanation::print(const Explained& app) const
{
    context_.out("app {}\n", app.app.app.name.str());
    const auto line = [&](std::string_view what, std::string_view value, std::string_view why) {
        context_.out("  {:24} {}{}{}\n", what, value, why.empty() ? "" : "  <- ", why);
    };
    const auto reason = [&](const pod::Origin& origin) {
        const auto place = place_of(app.app, origin);
        const auto by = origin.by.empty() ? origin.from : fmt::format("{}: {}", origin.from, origin.by);
        return text::printable(place.empty() ? by : fmt::format("{} ({})", by, place));
    };
    for (const auto& origin : app.origins)
        line(text::printable(origin.what), text::printable(origin.value), reason(origin));
    if (app.origins.empty())
        line("origins", "not recorded", "");
    if (app.running) {
        std::vector<std::string> own, shared;
        for (const auto& [name, is_own] : app.running->own_namespaces)
            (is_own ? own : shared).push_back(name);
        const auto& real = app.running->confinement;
        line("in the kernel: pid", fmt::to_string(app.running->pid), "");
        line("  user, group", fmt::format("{}, {} of the host", real.uid, real.gid), "");
        line("  namespaces", fmt::format("own: {}", own.empty() ? "none" : fmt::format("{}", fmt::join(own, " "))), "");
        if (!shared.empty())
            line("", fmt::format("the host's: {}", fmt::join(shared, " ")), "");
        line("  capabilities", pod::capability_names(app.running->effective_set), "");
        line("  at most", pod::capability_names(real.bounding_set), "");
        line("  no new privileges", real.no_new_privileges ? "yes" : "no", "");
        line("  system call filter", real.has_filter ? "yes" : "no", "");
        for (const auto& [name, value] : real.limits)
            line("  " + name, value, "");
        for (const auto& place : app.places)
            line(fmt::format("  {}", place.is), text::printable(place.path), reason(origin_of(app, place)));
    }
    for (const auto& difference : app.differences)
        line("DIFFERS", difference, "");
    for (const auto& report : app.app.reports)
        line("not in force", text::printable(report), "");
    if (!app.problem.empty())
        line("not to be found out", app.problem, "");
}

void Explanation::print() const
{
    context_.out("pod {} ({})\n", info_.id.str(), name_of(info_.state));
    if (!source_.empty())
        context_.out("  {:24} {}\n", "made from", source_);
    if (machine_)
        context_.out("  {:24} {}  <- {}{}{}\n", machine_->what, machine_->value, machine_->from,
                     machine_->by.empty() ? "" : ": ", machine_->by);
    for (const auto& option : options_)
        context_.out("  {:24} {}\n", "option", text::printable(option));
    for (const auto& app : apps_)
        print(app);
    if (!findings_.empty())
        context_.out("this host\n");
    for (const auto& [check, finding] : findings_)
        cli::print(context_, *check, finding, "  ");
}

// The pod that the service runs now.
pod::Pod pod_of(const std::string& data, const update::HostUnit& unit)
{
    const model::Layout layout{data};
    const auto pid = unit.main_pid();
    if (pid == 0)
        throw Error{Error::Kind::not_found, fmt::format("{} does not run", text::quoted(unit.name())),
                    "start it, or name a pod"};
    for (const auto& place : pod::walk(layout, {model::PodStage::run})) {
        auto pod = pod::Pod::open(layout, place.stage, place.id);
        if (pod && pod->state() == pod::State::running && pod->supervisor() == pid)
            return std::move(*pod);
    }
    throw Error{Error::Kind::not_found,
                fmt::format("{} runs no pod of {}", text::quoted(unit.name()), text::quoted(data)),
                "--dir names another data directory"};
}

// A service of another user keeps its pods in its own directory (users/own_root.hh).
std::string data_of(const Context& context, const update::HostUnit& unit)
{
    const auto user = unit.user();
    const auto own = unit.state_directories();
    const bool is_own = context.global.dir.empty() && !user.empty() && user != "root" && !own.empty();
    return is_own ? own.front() : context.data_dir();
}

bool is_uuid_prefix(const std::string& name)
{
    return name.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 1)
        throw UsageRequested{};
    const auto& context = invocation.context;
    const auto& name = invocation.args.front();
    const auto format = parse_format(options.format);
    std::optional<update::HostUnit> unit;
    if (!is_uuid_prefix(name))
        unit.emplace(update::unit_name(name));
    const auto pod = unit ? pod_of(data_of(context, *unit), *unit) : pod::find(model::Layout{context.data_dir()}, name);
    const Explanation explanation{context, pod, unit ? unit->source_path() : ""};
    if (format == Format::table)
        explanation.print();
    else
        print_json(context, explanation.to_json(), format);
    return 0;
}

} // namespace

Command explain_command()
{
    return command<Options>(
        {.path = {"explain"},
         .arguments = "UUID | UNIT",
         .purpose = "say how the apps of a pod are confined, and why",
         .description =
             "Says of each app of a pod, or of the pod that a service runs, what it may and may not do and "
             "where each\npiece of that comes from: its image, a flag (and the line of the file that has "
             "become the flag), the pod\nmanifest, or Rocket's defaults; how the kernel has it while it runs, "
             "and where that differs from what was\nmeant; and what this host lacks. What confines an app is "
             "for root to see."},
        declare, run);
}

} // namespace rocket::cli

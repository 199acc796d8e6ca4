// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/origins.hh"

#include <algorithm>

#include <fmt/format.h>

#include "common/model/layout.hh"
#include "common/sys/path.hh"

namespace rocket::pod
{

namespace
{

namespace json = model::json;
using model::RuntimeApp;

constexpr const char* from_image = "image";
constexpr const char* from_flag = "flag";
constexpr const char* from_default = "default";

// Isolators, by the words a user knows them by.
struct Bound {
    const char* isolator;
    const char* what;
    const char* flag; // that says it
};
constexpr Bound bounds[] = {
    {"os/linux/capabilities-retain-set", "capabilities", "--caps-retain"},
    {"os/linux/capabilities-remove-set", "capabilities", "--caps-remove"},
    {"os/linux/seccomp-retain-set", "system calls", "--seccomp"},
    {"os/linux/seccomp-remove-set", "system calls", "--seccomp"},
    {"os/linux/no-new-privileges", "no new privileges", "--no-new-privileges"},
    {"os/linux/oom-score-adj", "out-of-memory score", "--oom-score-adj"},
    {"os/linux/cpu-shares", "cpu shares", "--cpu-shares"},
    {"resource/memory", "memory", "--memory"},
    {"resource/cpu", "cpu", "--cpu"},
};

// What an isolator says, as a sentence has it: sets are told by the isolator's name only.
std::string words_of(const model::Isolator& isolator)
{
    const auto& value = isolator.value;
    if (const auto* const set = value.find("set"); set != nullptr && set->array() != nullptr) {
        std::vector<std::string> names;
        for (const auto& name : *set->array())
            names.push_back(name.string() != nullptr ? *name.string() : json::write(name));
        const auto* const errnum = value.find("errno");
        const bool is_removed = isolator.name.str().ends_with("-remove-set");
        return fmt::format("{} {}{}", is_removed ? "all but" : "only",
                           names.empty() ? "none" : fmt::format("{}", fmt::join(names, " ")),
                           errnum != nullptr && errnum->string() != nullptr ? ", else " + *errnum->string() : "");
    }
    const auto* const limit = value.find("limit");
    const auto* const request = value.find("request");
    if (limit != nullptr && limit->string() != nullptr && (request == nullptr || *request == *limit))
        return "at most " + *limit->string();
    return json::write(value);
}

class Tracing
{
public:
    Tracing(const PodRequest& pod, const AppRequest& wanted, const Image& image, const model::PodManifest& manifest,
            const RuntimeApp& app)
        : pod_{pod}, wanted_{wanted}, image_{image}, manifest_{manifest}, app_{app}
    {
    }

    std::vector<Origin> all() &&
    {
        execution();
        isolators();
        mounts();
        environment();
        annotations();
        return std::move(origins_);
    }

private:
    void add(std::string what, std::string value, const char* from, std::string by = {})
    {
        origins_.push_back({std::move(what), std::move(value), from, std::move(by)});
    }

    void chosen(const char* what, std::string value, bool by_flag, const char* flag)
    {
        const bool has_app = image_.manifest.app.has_value();
        add(what, std::move(value), by_flag ? from_flag : has_app ? from_image : from_default, by_flag ? flag : "");
    }

    void execution()
    {
        const auto& app = *app_.app;
        const bool has_exec = wanted_.exec || !wanted_.arguments.empty();
        chosen("command", json::write(json::to_json(app.exec)), has_exec, wanted_.exec ? "--exec" : "-- ARGUMENTS");
        chosen("user", app.user, wanted_.user.has_value(), "--user");
        chosen("group", app.group, wanted_.group.has_value(), "--group");
        if (!app.supplementary_gids.empty())
            chosen("supplementary groups", fmt::format("{}", fmt::join(app.supplementary_gids, ",")),
                   !wanted_.supplementary_gids.empty(), "--supplementary-gids");
        if (!app.working_directory.empty())
            chosen("working directory", app.working_directory, wanted_.working_directory.has_value(), "--working-dir");
        const bool says_read_only = wanted_.read_only_root_fs.has_value();
        add("root file system", app_.read_only_root_fs ? "read-only" : "writable",
            says_read_only ? from_flag : from_default, says_read_only ? "--readonly-rootfs" : "");
    }

    bool is_from_flag(const model::AcIdentifier& isolator) const
    {
        const auto same = [&](const model::Isolator& other) { return other.name == isolator; };
        return std::ranges::any_of(wanted_.appended_isolators, same) ||
               std::ranges::any_of(wanted_.replacing_isolators, same);
    }

    void isolators()
    {
        const auto& list = app_.app->isolators;
        for (const auto& isolator : list.all()) {
            if (list.find(isolator.name.str()) != &isolator) // a later one counts
                continue;
            const auto* const bound = std::ranges::find(bounds, isolator.name.str(), &Bound::isolator);
            const bool is_known = bound != std::end(bounds);
            const bool by_flag = is_from_flag(isolator.name);
            add(is_known ? bound->what : "isolator " + isolator.name.str(), words_of(isolator),
                by_flag ? from_flag : from_image, by_flag && is_known ? bound->flag : isolator.name.str());
        }
        const auto has = [&](const char* what) {
            return std::ranges::any_of(origins_, [&](const Origin& origin) { return origin.what == what; });
        };
        if (!has("capabilities"))
            add("capabilities", "the default set", from_default);
        if (!has("system calls"))
            add("system calls", "the default filter", from_default);
        for (const char* what : {"memory", "cpu"})
            if (!has(what))
                add(what, "no limit of its own", from_default);
    }

    void mounts()
    {
        for (const auto& mount : app_.mounts) {
            const auto& volume = model::volume_of(manifest_, mount);
            const auto same_path = [&](const model::Mount& other) {
                return clean_absolute(other.path) == clean_absolute(mount.path);
            };
            const bool by_flag =
                std::ranges::any_of(wanted_.mounts, same_path) || std::ranges::any_of(pod_.mounts, same_path);
            const bool declared =
                std::ranges::any_of(pod_.volumes, [&](const auto& known) { return known.name == volume.name; });
            const auto point = std::ranges::find_if(app_.app->mount_points, [&](const model::MountPoint& other) {
                return clean_absolute(other.path) == clean_absolute(mount.path);
            });
            const bool read_only =
                model::is_read_only(volume, point != app_.app->mount_points.end() ? &*point : nullptr);
            const auto source =
                fmt::format("{}{}", volume.kind == model::Volume::Kind::host ? volume.source : "a directory of the pod",
                            read_only ? ", read-only" : "");
            const char* const by = by_flag ? "--mount, --volume" : declared ? "--volume" : "mount point";
            add("volume " + mount.path, source, by_flag || declared ? from_flag : from_image, by);
        }
    }

    // Names only: values may be secrets. The last source that has a name gives its value (cli 7.4).
    void environment()
    {
        const std::pair<const model::Environment*, const char*> sources[] = {
            {&wanted_.environment, "--environment"}, {&pod_.set, "--set-env"}, {&pod_.file, "--set-env-file"}};
        for (const auto& variable : app_.app->environment) {
            const auto* const source = std::ranges::find_if(
                sources, [&](const auto& one) { return model::find(*one.first, variable.name) != nullptr; });
            const bool in_image = image_.manifest.app && model::find(image_.manifest.app->environment, variable.name);
            if (source != std::end(sources))
                add("variable " + variable.name, "", from_flag, source->second);
            else
                add("variable " + variable.name, "", in_image ? from_image : from_flag,
                    in_image ? "" : "--inherit-env");
        }
    }

    void annotations()
    {
        for (const auto& annotation : app_.annotations) {
            const bool by_flag = model::find(wanted_.annotations, annotation.name.str()) != nullptr;
            const auto& name = annotation.name.str();
            add("annotation " + name, annotation.value, by_flag ? from_flag : from_image,
                by_flag ? flag_for(name) : "HEALTHCHECK");
        }
    }

    static std::string flag_for(const std::string& annotation)
    {
        for (const char* prefix : {"rocket/health-", "rocket/notify"})
            if (annotation.starts_with(prefix))
                return "--" + annotation.substr(std::string_view{"rocket/"}.size());
        return "--annotation";
    }

    const PodRequest& pod_;
    const AppRequest& wanted_;
    const Image& image_;
    const model::PodManifest& manifest_;
    const RuntimeApp& app_;
    std::vector<Origin> origins_;
};

} // namespace

std::string added_origins_directory(const model::AppName& app)
{
    return fmt::format("{}/{}", model::pod_dir::apps, app.str());
}

Origins origins_of_added(const AppRequest& wanted, const Image& image, const model::PodManifest& manifest)
{
    const auto& app = manifest.apps.back();
    return {{app.name.str(), Tracing{{}, wanted, image, manifest, app}.all()}};
}

Origins origins_of(const PodRequest& request, const std::vector<Image>& images, const model::PodManifest& manifest)
{
    Origins all;
    for (std::size_t index = 0; index < manifest.apps.size(); ++index)
        all[manifest.apps[index].name.str()] =
            Tracing{request, request.apps.at(index), images.at(index), manifest, manifest.apps[index]}.all();
    return all;
}

// As if no image and no flag had said anything: then all is the manifest's.
Origins origins_of(const model::PodManifest& manifest, const std::string& path)
{
    Origins all;
    for (const auto& app : manifest.apps) {
        Image image{.id = *app.image.id,
                    .manifest = {.name = app.image.name.value_or(model::AcIdentifier::parse("none"))},
                    .manifest_text = {},
                    .trees = {}};
        image.manifest.app = app.app;
        auto& origins = all[app.name.str()] = Tracing{{}, {}, image, manifest, app}.all();
        for (auto& origin : origins)
            if (origin.from != from_default)
                origin = {origin.what, origin.value, "pod manifest", path};
    }
    return all;
}

std::string write(const Origins& origins)
{
    json::ObjectWriter apps;
    for (const auto& [app, list] : origins) {
        json::Array array;
        for (const auto& origin : list)
            array.push_back(json::ObjectWriter{}
                                .set("what", origin.what)
                                .set("value", origin.value)
                                .set("from", origin.from)
                                .set_text("by", origin.by)
                                .done());
        apps.set(app, std::move(array));
    }
    return json::write(std::move(apps).done());
}

Origins read_origins(std::string_view text)
{
    Origins all;
    const auto value = json::parse(text, "origins");
    if (value.object() == nullptr)
        fail(Error::Kind::corrupt, "origins are not an object");
    for (const auto& [app, list] : *value.object()) {
        auto& origins = all[app];
        for (const auto& item : json::Cursor{list, "origins." + app}.items()) {
            json::Fields fields{item};
            origins.push_back({.what = fields.required_text("what").text(),
                               .value = fields.required("value").text(),
                               .from = fields.required_text("from").text(),
                               .by = fields.text_or("by", "")});
        }
    }
    return all;
}

} // namespace rocket::pod

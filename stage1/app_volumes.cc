// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"

namespace rocket::stage1
{

namespace
{

std::pair<std::string, std::string> split_last(const std::string& cleaned)
{
    const auto slash = cleaned.rfind('/');
    return {cleaned.substr(0, slash), cleaned.substr(slash + 1)};
}

bool is_empty(const Fd& directory)
{
    return std::filesystem::is_empty(sys::proc_path(directory.get()));
}

// VOL-10 to VOL-12: made if missing; a file in the way of a directory is removed, from the app's own layer.
Fd directory_place(AppRoot& app, const std::string& target, bool hides)
{
    const auto existing = app.root.open_if_exists(target, O_PATH);
    if (!existing)
        return app.root.make_dirs(target);
    if (S_ISDIR(sys::stat(existing->get()).st_mode)) {
        if (hides && !is_empty(*existing))
            app.warnings.push_back(
                fmt::format("the volume on {} hides what the image has there", text::quoted(target)));
        return sys::duplicate(existing->get());
    }
    app.warnings.push_back(fmt::format("the volume on {} replaces a file of the image", text::quoted(target)));
    const auto [parent, name] = split_last(target);
    const auto dir = app.root.open("/" + parent, O_PATH | O_DIRECTORY);
    sys::unlink(dir.get(), name);
    return app.root.make_dirs(target);
}

Fd file_place(const AppRoot& app, const std::string& target)
{
    auto place = app.root.make_file(target);
    if (S_ISDIR(sys::stat(place.get()).st_mode))
        fail(Error::Kind::usage, "its source is a file, but the image has a directory there");
    return place;
}

// Where links of the image have really led to, below the app's root.
std::string real_path(const AppRoot& app, const Fd& place)
{
    const auto path = sys::read_link(AT_FDCWD, sys::proc_path(place.get()));
    if (!is_at_or_below(path, app.plan.root) || path == app.plan.root || path == "/")
        fail(Error::Kind::usage, "it is not below the app's root");
    return path.substr(app.plan.root.size());
}

// The plan compared the paths as they are written; this compares what they stand for (VOL-13, R5).
void check_place(const std::vector<VolumePlace>& others, const std::string& path)
{
    for (const char* kernel_tree : {"/proc", "/sys", "/dev"})
        if (is_at_or_below(path, kernel_tree))
            fail(Error::Kind::usage, "a link in the image leads it to {}", text::quoted(path));
    for (const auto& other : others)
        if (!other.path.empty() && (is_at_or_below(path, other.path) || is_at_or_below(other.path, path)))
            fail(Error::Kind::usage, "it overlaps with the volume on {}", text::quoted(other.path));
}

VolumePlace find_place(AppRoot& app, std::size_t index, const std::vector<VolumePlace>& others)
{
    const auto& planned = app.plan.volumes[index];
    const auto& volume = app.sources.volumes[index];
    const auto& target = planned.target;
    const bool has_copy = planned.of_pod && !is_empty(volume.tree); // OMAP-7
    try {
        auto place = volume.directory ? directory_place(app, target, !has_copy) : file_place(app, target);
        auto path = real_path(app, place);
        check_place(others, path);
        return {.place = std::move(place), .path = std::move(path)};
    } catch (const Error& error) { // the last cause is what a user sees: it has to say all
        throw Error{error.kind(),
                    fmt::format("app {}: the volume on {} cannot be mounted: {}", text::quoted(app.plan.name),
                                text::quoted(target), error.innermost()),
                    error.hint()};
    }
}

} // namespace

std::vector<VolumePlace> find_volume_places(AppRoot& app)
{
    std::vector<VolumePlace> places;
    for (std::size_t index = 0; index < app.plan.volumes.size(); ++index) {
        if (app.plan.volumes[index].in_dev)
            places.emplace_back(); // found when /dev is there
        else
            places.push_back(find_place(app, index, places));
    }
    return places;
}

void mount_volumes(AppRoot& app, const std::vector<VolumePlace>& places)
{
    constexpr std::size_t dev = std::string_view{"/dev"}.size();
    for (std::size_t index = 0; index < places.size(); ++index) {
        const auto& planned = app.plan.volumes[index];
        const auto& tree = app.sources.volumes[index].tree;
        if (planned.in_dev)
            mount::attach(tree.get(), app.dev.make_file(planned.target.substr(dev)).get());
        else
            mount::attach(tree.get(), places[index].place.get());
        app.volume_paths.push_back(planned.in_dev ? planned.target : places[index].path);
    }
}

} // namespace rocket::stage1

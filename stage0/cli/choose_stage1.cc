// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/choose_stage1.hh"

#include <filesystem>
#include <optional>

#include "common/sys/file.hh"
#include "common/sys/libexec.hh"
#include "common/sys/path.hh"
#include "common/sys/sys.hh"

namespace rocket::cli
{

namespace
{

namespace fs = std::filesystem;
using image::PullPolicy;
using pod::Stage1Image;

constexpr const char* default_name = "coreos.com/rkt/stage1-systemd";
constexpr const char* default_file = "systemd";

std::string installed_directory()
{
    return libexec_path("stage1-images");
}

// What is installed there was put there by whoever installed Rocket itself.
bool is_installed(const std::string& path)
{
    std::error_code problem;
    const auto directory = fs::canonical(installed_directory(), problem);
    if (problem)
        return false;
    const auto file = fs::canonical(path, problem);
    return !problem && is_at_or_below(file.string(), directory.string());
}

Stage1Image from_image(pod::Image image)
{
    if (image.trees.size() != 1)
        throw Error{
            Error::Kind::unsupported,
            fmt::format("image {} has {} layers: a stage1 is used as one tree", image.id.str(), image.trees.size()),
            "make an ACI of it, for example with `rocket image render`"};
    return {.rootfs = std::move(image.trees.front()),
            .manifest_text = std::move(image.manifest_text),
            .image = std::move(image.id)};
}

class Chooser
{
public:
    Chooser(const Context& context, ImageSource& source) : context_{context}, source_{source} {}

    Stage1Image by_flag(const Stage1Flags& flags);
    Stage1Image by_default();

private:
    enum class Trust { by_signature, by_place };
    Stage1Image by_path(const std::string& path, Trust trust);
    Stage1Image by_path(const std::string& path);
    Stage1Image by_url(const std::string& url);
    Stage1Image by_hash(const std::string& hash);
    Stage1Image by_name(const std::string& name);
    Stage1Image by_location(const std::string& location);
    Stage1Image from_dir(const std::string& file);
    std::optional<Stage1Image> in_store(const std::string& name);
    std::optional<Stage1Image> installed(const std::string& name);

    const Context& context_;
    ImageSource& source_;
    std::optional<Error> refused_; // why the store's image of that name is none
};

// A directory in image layout is used in place; an ACI goes into the store.
Stage1Image Chooser::by_path(const std::string& path, Trust trust)
{
    const auto absolute = fs::absolute(path).lexically_normal().string();
    const auto info = sys::stat_if_exists(AT_FDCWD, absolute, 0);
    if (!info || S_ISDIR(info->st_mode))
        return pod::load_stage1(absolute);
    const image::Request request{absolute, "", PullPolicy::fresh};
    return from_image(trust == Trust::by_place ? source_.acquire_unsigned(request) : source_.acquire(request));
}

Stage1Image Chooser::by_path(const std::string& path)
{
    return by_path(path, is_installed(path) ? Trust::by_place : Trust::by_signature);
}

Stage1Image Chooser::by_url(const std::string& url)
{
    if (url.find(':') == std::string::npos)
        fail(Error::Kind::usage, "{} is not a URL", text::quoted(url));
    return from_image(source_.acquire({url, "", PullPolicy::fresh}));
}

Stage1Image Chooser::by_hash(const std::string& hash)
{
    if (!model::ImageIdPrefix::looks_like(hash))
        throw Error{Error::Kind::usage, fmt::format("{} is not an image ID", text::quoted(hash)),
                    "`rocket image list` shows the ids of what is in the store"};
    return from_image(source_.acquire({hash, "", PullPolicy::never}));
}

// nullopt: there is none, or none whose signature was checked.
std::optional<Stage1Image> Chooser::in_store(const std::string& name)
{
    try {
        return from_image(source_.acquire({name, "", PullPolicy::never}));
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::untrusted)
            refused_ = error;
        else if (error.kind() != Error::Kind::not_found)
            throw;
        return std::nullopt;
    }
}

// An installed directory whose image has that name, and the labels if any are given.
std::optional<Stage1Image> Chooser::installed(const std::string& text)
{
    const auto wanted = model::ImageName::parse(text);
    for (const auto& file :
         file::list_if_exists(AT_FDCWD, installed_directory()).value_or(std::vector<std::string>{})) {
        const auto path = installed_directory() + "/" + file;
        if (!fs::is_directory(path) || fs::is_symlink(path))
            continue;
        auto image = pod::load_stage1(path);
        const auto manifest = model::ImageManifest::parse(image.manifest_text);
        if (manifest.name == wanted.name && model::satisfies(manifest.labels, wanted.labels))
            return image;
    }
    return std::nullopt;
}

Stage1Image Chooser::by_name(const std::string& name)
{
    if (auto found = in_store(name))
        return std::move(*found);
    if (auto found = installed(name))
        return std::move(*found);
    if (refused_)
        throw Error{*refused_};
    return from_image(source_.acquire({name, "", PullPolicy::fresh})); // discovery
}

Stage1Image Chooser::from_dir(const std::string& file)
{
    if (file == "." || file == ".." || file.find('/') != std::string::npos)
        fail(Error::Kind::usage, "--stage1-from-dir takes a name, not a path: {}", text::quoted(file));
    const auto& configured = context_.config().paths.stage1_images;
    return by_path((configured.empty() ? installed_directory() : configured) + "/" + file);
}

Stage1Image Chooser::by_flag(const Stage1Flags& flags)
{
    switch (flags.kind) {
    case Stage1Flags::Kind::url:
        return by_url(flags.value);
    case Stage1Flags::Kind::path:
        return by_path(flags.value);
    case Stage1Flags::Kind::name:
        return by_name(flags.value);
    case Stage1Flags::Kind::hash:
        return by_hash(flags.value);
    case Stage1Flags::Kind::from_dir:
        return from_dir(flags.value);
    case Stage1Flags::Kind::none:
        break;
    }
    return by_default();
}

// A path may also be that of a file beside our own program, which is trusted as the program is.
Stage1Image Chooser::by_location(const std::string& location)
{
    if (!location.starts_with('/'))
        return by_url(location);
    try {
        return by_path(location);
    } catch (const Error& first) {
        const auto beside = fs::path{sys::read_link(AT_FDCWD, "/proc/self/exe")}.parent_path() / //
                            fs::path{location}.filename();
        if (!fs::exists(beside / "manifest") && !fs::is_regular_file(beside))
            throw;
        return in_context(
            "failed to fetch stage1 image and failed to fall back to stage1 image in the rocket directory",
            [&] { return by_path(beside.string(), Trust::by_place); });
    }
}

Stage1Image Chooser::by_default()
{
    const auto& configured = context_.config().stage1;
    const auto name = configured.name.empty() ? default_name : configured.name;
    const auto version = configured.name.empty() ? ROCKET_VERSION : configured.version;
    const auto full_name = name + ":" + version;
    if (!version.ends_with("-dirty")) // it does not say which
        if (auto found = in_store(full_name))
            return std::move(*found);
    if (!configured.name.empty() && configured.location.empty())
        if (auto found = installed(full_name))
            return std::move(*found);
    return by_location(configured.location.empty() ? installed_directory() + "/" + default_file : configured.location);
}

} // namespace

Stage1Image choose_stage1(const Stage1Flags& flags, const Context& context, ImageSource& source)
{
    context.config(); // its errors are its own
    try {
        return Chooser{context, source}.by_flag(flags);
    } catch (const CommandError&) {
        throw;
    } catch (const Error& error) {
        throw CommandError{"failed to fetch stage1 image", error};
    }
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/docker_archive.hh"

#include <algorithm>

#include <fmt/ranges.h>

#include "common/sys/text.hh"
#include "stage0/oci/docker_name.hh"

namespace rocket::oci
{

namespace
{

namespace json = model::json;

constexpr std::size_t most_images = 1000;

std::string member_path(const json::Cursor& cursor)
{
    auto path = cursor.text();
    for (const auto& part : text::split(path, '/'))
        if (part.empty() || part == "." || part == "..")
            cursor.fail(" is no path in the archive");
    return path;
}

SavedImage image_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    SavedImage image{.config_path = member_path(fields.required("Config"))};
    for (const auto& layer : fields.required("Layers").items())
        image.layers.push_back(member_path(layer));
    for (const auto& tag : fields.items("RepoTags"))
        image.tags.push_back(tag.text());
    return image;
}

std::vector<SavedImage> saved_images(const Files& files)
{
    if (!files.find("manifest.json"))
        throw Error{Error::Kind::unsupported, "there is no manifest.json in it",
                    "archives of docker before 1.10 cannot be read; save the image again"};
    const auto value = json::parse(files.read("manifest.json", largest_manifest), "manifest.json");
    std::vector<SavedImage> images;
    for (const auto& item : json::Cursor{value, "manifest.json"}.items())
        images.push_back(image_from(item));
    if (images.empty() || images.size() > most_images)
        fail(Error::Kind::corrupt, "manifest.json names {} images", images.size());
    return images;
}

bool has_tag(const SavedImage& image, const std::string& wanted)
{
    return std::ranges::any_of(image.tags, [&](const std::string& tag) {
        try {
            return DockerName::parse(tag).str() == wanted;
        } catch (const Error&) { // not one that could be asked for
            return false;
        }
    });
}

std::string tags_in(const std::vector<SavedImage>& images)
{
    std::vector<std::string> tags;
    for (const auto& image : images)
        for (const auto& tag : image.tags)
            tags.push_back(text::printable(tag));
    return fmt::format("; there are {} images in it{}{}", images.size(), tags.empty() ? "" : ": ",
                       fmt::join(tags, ", "));
}

// The hexadecimal digest that a path ends in, as in HEX.json and blobs/sha256/HEX.
std::optional<store::ContentDigest> digest_in(const std::string& path)
{
    auto name = std::string_view{path}.substr(path.rfind('/') + 1);
    if (name.ends_with(".json"))
        name.remove_suffix(5);
    if (name.size() != 64 || !text::is_lower_hex(name))
        return std::nullopt;
    return store::ContentDigest::parse("sha256:" + std::string{name});
}

} // namespace

SavedImage find_saved(const Files& files, const std::string& name)
{
    auto images = saved_images(files);
    if (name.empty() && images.size() == 1)
        return std::move(images.front());
    if (name.empty())
        throw Error{Error::Kind::usage, "which image is meant" + tags_in(images), "add :TAG, or :@N"};
    if (name.starts_with('@')) {
        const auto number = text::parse_decimal(name.substr(1));
        if (!number || *number >= images.size())
            fail(Error::Kind::not_found, "there is no image {}{}", text::quoted(name), tags_in(images));
        return std::move(images[*number]);
    }
    const auto wanted = DockerName::parse(name);
    if (wanted.digest)
        fail(Error::Kind::usage, "images in a docker archive have no digests to be found by");
    const auto found = std::ranges::find_if(images, [&](const auto& image) { return has_tag(image, wanted.str()); });
    if (found == images.end())
        fail(Error::Kind::not_found, "there is no image {} in it{}", text::quoted(name), tags_in(images));
    found->tags = {name};
    return std::move(*found);
}

std::string saved_config(const Files& files, const SavedImage& image)
{
    auto text = files.read(image.config_path, largest_config);
    if (const auto digest = digest_in(image.config_path); digest && !store::matches(*digest, text))
        fail(Error::Kind::corrupt, "{} does not have the digest that it is named by", text::quoted(image.config_path));
    return text;
}

ResolvedImage resolve_saved(std::string config, const std::vector<std::string>& layer_paths)
{
    ResolvedImage image{.manifest = {}, .config = std::move(config), .parsed = {}, .layers = {}};
    image.parsed = ImageConfig::parse(image.config);
    for (const auto& path : layer_paths)
        image.layers.push_back({.path = path});
    check_layers(image);
    return image;
}

std::string SavedContent::document(const Descriptor& descriptor, std::uint64_t)
{
    fail(Error::Kind::not_found, "a docker archive has nothing by digest, such as {}", descriptor.digest.str());
}

void SavedContent::layers(std::span<const LayerPlace> places, const OnLayer& done)
{
    for (std::size_t i = 0; i < places.size(); ++i)
        done(i, files_.open(places[i].path));
}

} // namespace rocket::oci

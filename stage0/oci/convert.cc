// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/convert.hh"

#include <algorithm>
#include <array>

#include "common/model/platform.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"
#include "stage0/oci/users.hh"

namespace rocket::oci
{

namespace
{

using model::AcIdentifier;
using model::AcName;

constexpr std::size_t largest_account_file = 1U << 20U; // R16

model::Labels labels_of(const ImageConfig& config, const Origin& origin, const Warn& warn)
{
    model::Labels labels;
    const auto add = [&](const char* name, const std::string& value) {
        labels.push_back({.name = AcIdentifier::parse(name), .value = value});
    };
    const auto& platform = config.platform;
    try {
        const auto words =
            model::from_oci({.os = platform.os, .architecture = platform.architecture, .variant = platform.variant});
        add("arch", words.arch);
        add("os", words.os);
    } catch (const Error& error) {
        warn(error.innermost());
    }
    if (!origin.version.empty())
        add("version", origin.version);
    return labels;
}

model::Environment environment_of(const ImageConfig& config, const Warn& warn)
{
    model::Environment environment;
    for (const auto& line : config.environment) {
        const auto equals = line.find('=');
        if (equals == line.npos)
            continue;
        try {
            model::check_environment_name(line.substr(0, equals));
            model::set(environment, line.substr(0, equals), line.substr(equals + 1));
        } catch (const Error& error) {
            warn(fmt::format("a variable of the image is left out: {}", error.innermost()));
        }
    }
    return environment;
}

// "80", "80/tcp", "8000-8010/udp"
std::optional<model::Port> port_of(const std::string& key)
{
    const auto slash = key.find('/');
    auto protocol = slash == key.npos ? std::string{"tcp"} : key.substr(slash + 1);
    std::ranges::transform(protocol, protocol.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto range = text::split(key.substr(0, slash), '-');
    const auto first = text::parse_decimal(range.front(), 65535);
    const auto last = text::parse_decimal(range.back(), 65535);
    const bool known = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
    if (range.size() > 2 || !first || !last || *first == 0 || *last < *first || !known)
        return std::nullopt;
    return model::Port{.name = AcName::parse(fmt::format("{}-{}", *first, protocol)),
                       .protocol = protocol,
                       .port = static_cast<std::uint16_t>(*first),
                       .count = static_cast<std::uint32_t>(*last - *first + 1)};
}

std::vector<model::Port> ports_of(const ImageConfig& config, const Warn& warn)
{
    std::vector<model::Port> ports;
    for (const auto& key : config.exposed_ports) {
        auto port = port_of(key);
        if (!port)
            warn(fmt::format("the image exposes the port {}, which is none", text::quoted(key)));
        else if (std::ranges::none_of(ports, [&](const auto& other) { return other.name == port->name; }))
            ports.push_back(std::move(*port));
    }
    std::ranges::sort(ports, [](const auto& a, const auto& b) {
        return std::pair{a.port, a.protocol} < std::pair{b.port, b.protocol};
    });
    return ports;
}

std::vector<model::MountPoint> mount_points_of(const ImageConfig& config)
{
    std::vector<model::MountPoint> points;
    for (const auto& volume : config.volumes) {
        const auto path = clean_absolute("/" + volume);
        if (path == "/")
            fail(Error::Kind::corrupt, "the image wants a volume on /");
        if (std::ranges::any_of(points, [&](const auto& point) { return point.path == path; }))
            continue;
        const auto wanted = AcName::sanitized("volume" + path);
        auto name = wanted;
        for (int i = 1; std::ranges::any_of(points, [&](const auto& point) { return point.name == name; }); ++i)
            name = AcName::parse(fmt::format("{}-{}", wanted.str(), i));
        points.push_back({.name = name, .path = path});
    }
    return points;
}

std::string label_or_annotation(const ImageConfig& config, const Origin& origin, const std::string& key)
{
    if (const auto label = config.labels.find(key); label != config.labels.end())
        return label->second;
    const auto annotation = origin.annotations.find(key);
    return annotation == origin.annotations.end() ? "" : annotation->second;
}

bool is_web_url(const std::string& text)
{
    return text.starts_with("http://") || text.starts_with("https://");
}

std::string list_text(const std::vector<std::string>& list)
{
    return list.empty() ? "" : model::json::write(model::json::to_json(list));
}

bool is_signal(const std::string& text)
{
    if (text::parse_decimal(text, 64))
        return true;
    auto name = text.starts_with("SIG") ? text.substr(3) : text;
    return !name.empty() && name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") == name.npos;
}

model::Annotations annotations_of(const ImageConfig& config, const Origin& origin, const Warn& warn)
{
    const std::string image = "org.opencontainers.image.";
    const auto authors = label_or_annotation(config, origin, image + "authors");
    const auto homepage = label_or_annotation(config, origin, image + "url");
    const auto documentation = label_or_annotation(config, origin, image + "documentation");
    std::map<std::string, std::string> values{
        {"appc.io/docker/cmd", list_text(config.command)},
        {"appc.io/docker/entrypoint", list_text(config.entrypoint)},
        {"appc.io/docker/healthcheck", config.healthcheck},
        {"appc.io/docker/imageid", origin.image_id},
        {"appc.io/docker/manifesthash", origin.manifest_digest},
        {"appc.io/docker/originalname", origin.original},
        {"appc.io/docker/registryurl", origin.registry},
        {"appc.io/docker/repository", origin.repository},
        {"appc.io/docker/tag", origin.tag},
        {"authors", authors.empty() ? config.author : authors},
        {"created", config.created},
        {"homepage", is_web_url(homepage) ? homepage : ""},
        {"documentation", is_web_url(documentation) ? documentation : ""},
        {image + "stopsignal", config.stop_signal},
    };
    if (!config.stop_signal.empty() && !is_signal(config.stop_signal)) {
        warn(fmt::format("the image wants to be stopped by {}, which is no signal", text::quoted(config.stop_signal)));
        values.erase(image + "stopsignal");
    }
    model::Annotations annotations;
    for (const auto& [name, value] : values)
        if (!value.empty())
            annotations.push_back({.name = AcIdentifier::parse(name), .value = value});
    return annotations;
}

model::App app_of(const ImageConfig& config, const Origin& origin, const store::LayerStack& tree, const Warn& warn)
{
    const auto user = resolve_user(config.user, tree.read_file("etc/passwd", largest_account_file).value_or(""),
                                   tree.read_file("etc/group", largest_account_file).value_or(""));
    model::App app{.exec = config.entrypoint, .user = user.user, .group = user.group};
    app.exec.insert(app.exec.end(), config.command.begin(), config.command.end());
    app.supplementary_gids = user.supplementary_gids;
    app.working_directory = working_directory_of(config);
    app.environment = environment_of(config, warn);
    app.mount_points = mount_points_of(config);
    app.ports = ports_of(config, warn);
    app.user_labels = config.labels;
    app.user_annotations = origin.annotations;
    return app;
}

// An annotation that the manifest cannot hold, such as a date that is none, is left out.
void drop_invalid(model::ImageManifest& manifest, const Warn& warn)
{
    for (const auto* name : {"created", "homepage", "documentation"}) {
        const auto* value = model::find(manifest.annotations, name);
        if (value == nullptr)
            continue;
        model::Annotations alone{{.name = AcIdentifier::parse(name), .value = *value}};
        try {
            const auto json = model::to_json(alone);
            model::annotations_from(model::json::Cursor{json, "annotations"}.items());
        } catch (const Error&) {
            warn(fmt::format("the image's {} is left out: {}", name, text::quoted(*value)));
            std::erase_if(manifest.annotations, [&](const auto& entry) { return entry.name == name; });
        }
    }
}

} // namespace

std::string working_directory_of(const ImageConfig& config)
{
    return clean_absolute("/" + config.working_directory);
}

model::ImageManifest convert(const ImageConfig& config, const Origin& origin, const store::LayerStack& tree,
                             const Warn& warn)
{
    model::ImageManifest manifest{.name = AcIdentifier::sanitized(origin.name)};
    manifest.labels = labels_of(config, origin, warn);
    manifest.app = app_of(config, origin, tree, warn);
    manifest.annotations = annotations_of(config, origin, warn);
    drop_invalid(manifest, warn);
    return manifest;
}

} // namespace rocket::oci

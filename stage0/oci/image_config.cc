// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/image_config.hh"

#include <algorithm>

#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

namespace json = model::json;

// A list, or in old images a text for the shell (OCFG-3).
std::vector<std::string> command_from(json::Fields& fields, std::string_view name)
{
    const auto cursor = fields.optional(name);
    if (!cursor)
        return {};
    if (cursor->value().string() != nullptr)
        return {"/bin/sh", "-c", cursor->text()};
    return cursor->texts();
}

std::vector<std::string> keys_from(json::Fields& fields, std::string_view name)
{
    std::vector<std::string> keys;
    const auto cursor = fields.optional(name);
    if (!cursor)
        return keys;
    const auto* object = cursor->value().object();
    if (object == nullptr)
        cursor->fail(" is not an object");
    for (const auto& member : *object)
        keys.push_back(member.name);
    std::ranges::sort(keys);
    return keys;
}

void read_app(ImageConfig& config, const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    config.user = fields.text_or("User", "");
    config.exposed_ports = keys_from(fields, "ExposedPorts");
    if (const auto environment = fields.optional("Env"))
        config.environment = environment->texts();
    config.entrypoint = command_from(fields, "Entrypoint");
    config.command = command_from(fields, "Cmd");
    config.volumes = keys_from(fields, "Volumes");
    config.working_directory = fields.text_or("WorkingDir", "");
    if (const auto labels = fields.optional("Labels"))
        config.labels = labels->text_map();
    config.stop_signal = fields.text_or("StopSignal", "");
    if (const auto check = fields.optional("Healthcheck"))
        config.healthcheck = json::write(check->value());
}

} // namespace

ImageConfig ImageConfig::parse(std::string_view text)
{
    const auto value = json::parse(text, "image configuration", {.size = largest_config, .depth = 64});
    json::Fields fields{json::Cursor{value, "config"}};
    ImageConfig config{.platform = {.os = fields.required_text("os").text(),
                                    .architecture = fields.required_text("architecture").text()},
                       .diff_ids = {}};
    config.platform.variant = fields.text_or("variant", "");
    config.author = fields.text_or("author", "");
    config.created = fields.text_or("created", "");
    const auto rootfs_cursor = fields.required("rootfs");
    json::Fields rootfs{rootfs_cursor};
    if (rootfs.required("type").text() != "layers")
        rootfs_cursor.fail(".type is not \"layers\"");
    for (const auto& item : rootfs.items("diff_ids"))
        config.diff_ids.push_back(item.as<store::ContentDigest>());
    if (const auto app = fields.optional("config"))
        read_app(config, *app);
    return config;
}

} // namespace rocket::oci

// SPDX-License-Identifier: Apache-2.0
#include "common/model/volume.hh"

#include "common/model/object_string.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

// What a volume is made of, wherever it was read from; nothing is checked yet but types.
struct Draft {
    VolumeName name;
    std::string kind;
    std::string source;
    std::optional<bool> read_only, recursive;
    std::optional<std::string> mode;
    std::optional<std::uint32_t> uid, gid;
};

constexpr std::uint32_t max_id = 4294967294; // the last one, (uid_t)-1, means "do not change" to the kernel

std::uint32_t mode_of(const std::string& text)
{
    const auto mode = text.size() <= 5 ? text::parse_octal(text, 07777) : std::nullopt;
    if (!mode)
        fail(Error::Kind::usage, "mode must be octal and not above 07777, not {}", text::quoted(text));
    return static_cast<std::uint32_t>(*mode);
}

void check_host(const Draft& draft)
{
    if (draft.source.empty())
        fail(Error::Kind::usage, "source for host volume cannot be empty");
    if (!draft.source.starts_with('/'))
        fail(Error::Kind::usage, "source for host volume must be absolute path");
    const char* forbidden = draft.mode ? "mode" : draft.uid ? "uid" : draft.gid ? "gid" : nullptr;
    if (forbidden != nullptr)
        fail(Error::Kind::usage, "{} for host volume cannot be set", forbidden);
}

Volume checked(Draft draft) // VOL-1, VOL-2
{
    Volume volume{.name = std::move(draft.name), .read_only = draft.read_only, .recursive = draft.recursive};
    if (draft.kind == "host") {
        check_host(draft);
        volume.kind = Volume::Kind::host;
        volume.source = std::move(draft.source);
    } else if (draft.kind == "empty") {
        if (!draft.source.empty())
            fail(Error::Kind::usage, "source for empty volume must be empty");
        if (draft.mode)
            volume.mode = mode_of(*draft.mode);
        volume.uid = draft.uid.value_or(0);
        volume.gid = draft.gid.value_or(0);
    } else {
        fail(Error::Kind::usage, "unrecognized volume kind: should be one of \"empty\", \"host\"");
    }
    return volume;
}

void check_target(std::string_view path)
{
    if (path.empty())
        fail(Error::Kind::usage, "path cannot be empty");
    if (!path.starts_with('/'))
        fail(Error::Kind::usage, "path must be absolute, not {}", text::quoted(path));
    if (clean_absolute(std::string{path}) == "/")
        fail(Error::Kind::usage, "path cannot be the root directory");
}

std::string target_from(const json::Cursor& cursor)
{
    auto path = cursor.text();
    cursor.at_place([&] { check_target(path); });
    return path;
}

std::optional<bool> optional_boolean(const std::optional<json::Cursor>& member)
{
    return member ? std::optional{member->boolean()} : std::nullopt;
}

std::optional<std::uint32_t> optional_id(const std::optional<json::Cursor>& member)
{
    return member ? std::optional{static_cast<std::uint32_t>(member->integer(0, max_id))} : std::nullopt;
}

std::string octal(std::uint32_t mode)
{
    return fmt::format("{:04o}", mode);
}

std::string_view word(Volume::Kind kind)
{
    return kind == Volume::Kind::host ? "host" : "empty";
}

} // namespace

Volume Volume::parse(std::string_view text)
{
    auto object = ObjectString::with_name(text, "volume");
    Draft draft{.name = VolumeName::parse(object.name()),
                .kind = object.take("kind").value_or(""),
                .source = object.take("source").value_or(""),
                .read_only = object.take_bool("readOnly"),
                .recursive = object.take_bool("recursive"),
                .mode = object.take("mode"),
                .uid = object.take_number("uid", 0, max_id),
                .gid = object.take_number("gid", 0, max_id)};
    object.done();
    return checked(std::move(draft));
}

Volume Volume::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    Draft draft{.name = fields.required_text("name").as<VolumeName>(),
                .kind = fields.required_text("kind").text(),
                .source = fields.text_or("source", ""),
                .read_only = optional_boolean(fields.optional("readOnly")),
                .recursive = optional_boolean(fields.optional("recursive"))};
    if (const auto mode = fields.optional("mode"))
        draft.mode = mode->text();
    draft.uid = optional_id(fields.optional("uid"));
    draft.gid = optional_id(fields.optional("gid"));
    auto volume = cursor.at_place([&] { return checked(std::move(draft)); });
    volume.unknown = fields.rest();
    return volume;
}

std::string Volume::str() const
{
    auto text = fmt::format("{},kind={}", name.str(), word(kind));
    if (!source.empty())
        text += ",source=" + source;
    if (read_only)
        text += fmt::format(",readOnly={}", *read_only);
    if (recursive)
        text += fmt::format(",recursive={}", *recursive);
    if (mode != 0755)
        text += ",mode=" + octal(mode);
    if (uid != 0)
        text += fmt::format(",uid={}", uid);
    if (gid != 0)
        text += fmt::format(",gid={}", gid);
    return text;
}

json::Value Volume::json() const
{
    json::ObjectWriter writer{unknown};
    writer.set("name", name.str()).set("kind", word(kind)).set_text("source", source);
    if (read_only)
        writer.set("readOnly", *read_only);
    if (recursive)
        writer.set("recursive", *recursive);
    if (kind == Kind::empty)
        writer.set("mode", octal(mode)).set("uid", uid).set("gid", gid);
    return writer.done();
}

MountPoint MountPoint::parse(std::string_view text)
{
    auto object = ObjectString::with_name(text, "mount point");
    MountPoint point{.name = AcName::parse(object.name()),
                     .path = object.take("path").value_or(""),
                     .read_only = object.take_bool("readOnly").value_or(false)};
    object.done();
    check_target(point.path);
    return point;
}

MountPoint MountPoint::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    MountPoint point{.name = fields.required_text("name").as<AcName>(),
                     .path = target_from(fields.required("path")),
                     .read_only = fields.boolean_or("readOnly", false)};
    point.unknown = fields.rest();
    return point;
}

std::string MountPoint::str() const
{
    return fmt::format("{},path={}{}", name.str(), path, read_only ? ",readOnly=true" : "");
}

json::Value MountPoint::json() const
{
    return json::ObjectWriter{unknown}
        .set("name", name.str())
        .set("path", path)
        .set_if(read_only, "readOnly", true)
        .done();
}

Mount Mount::parse(std::string_view text)
{
    auto object = ObjectString::without_name(text, "mount");
    const auto volume = object.take("volume");
    auto target = object.take("target");
    object.done();
    if (!volume || !target)
        fail(Error::Kind::usage, "a mount needs both: volume=NAME,target=PATH");
    check_target(*target);
    return {.volume = VolumeName::parse(*volume), .path = *std::move(target)};
}

Mount Mount::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    Mount mount{.volume = fields.required_text("volume").as<VolumeName>(),
                .path = target_from(fields.required("path"))};
    if (const auto volume = fields.optional("appVolume"))
        mount.app_volume = Volume::from(*volume);
    mount.unknown = fields.rest();
    return mount;
}

json::Value Mount::json() const
{
    json::ObjectWriter writer{unknown};
    writer.set("volume", volume.str()).set("path", path);
    if (app_volume)
        writer.set("appVolume", app_volume->json());
    return writer.done();
}

bool is_read_only(const Volume& volume, const MountPoint* mount_point) noexcept
{
    return volume.read_only.value_or(mount_point != nullptr && mount_point->read_only);
}

} // namespace rocket::model

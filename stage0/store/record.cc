// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/record.hh"

#include "common/model/json_object.hh"
#include "common/sys/text.hh"

namespace rocket::store
{

namespace
{

using namespace model;

std::uint64_t size_from(const json::Cursor& cursor)
{
    return static_cast<std::uint64_t>(cursor.integer(0, INT64_MAX));
}

std::string hex_from(const json::Cursor& cursor, std::size_t digits)
{
    auto hex = cursor.text();
    if (hex.size() != digits || !text::is_lower_hex(hex))
        cursor.fail(" is not a digest");
    return hex;
}

} // namespace

Record Record::parse(std::string_view text)
{
    const auto value = json::parse(text, "image record");
    json::Fields fields{json::Cursor{value, "record"}};
    Record record{.id = fields.required("id").as<ImageId>()};
    record.requested = fields.required("requested").text();
    record.source = fields.required("source").text();
    record.source_stamp = fields.text_or("sourceStamp", "");
    record.archive_bytes = size_from(fields.required("archiveSize"));
    record.image_bytes = size_from(fields.required("imageSize"));
    record.tree_bytes = size_from(fields.required("treeSize"));
    record.imported_ns = fields.required("importTime").integer(0, INT64_MAX);
    if (const auto key = fields.optional("keyFingerprint"))
        record.fingerprint = hex_from(*key, 40);
    for (const auto& option : fields.items("insecure"))
        record.insecure.push_back(option.text());
    record.tree_digest = hex_from(fields.required("treeDigest"), 64);
    for (const auto& id : fields.items("dependencies"))
        record.dependencies.push_back(id.as<ImageId>());
    for (const auto& layer : fields.items("layers"))
        record.layers.push_back(layer.as<ContentDigest>());
    record.manifest_digest = fields.text_or("manifestDigest", "");
    if (!record.id.is_full())
        fail(Error::Kind::corrupt, "record.id is not a full digest");
    return record;
}

std::string Record::write() const
{
    json::Array pinned;
    for (const auto& dependency : dependencies)
        pinned.push_back(dependency.digest());
    json::ObjectWriter writer;
    json::Array digests;
    for (const auto& layer : layers)
        digests.emplace_back(layer.str());
    writer.set("id", id.digest())
        .set("requested", requested)
        .set("source", source)
        .set_text("sourceStamp", source_stamp)
        .set("archiveSize", archive_bytes)
        .set("imageSize", image_bytes)
        .set("treeSize", tree_bytes)
        .set("importTime", imported_ns)
        .set("keyFingerprint", fingerprint ? json::Value{*fingerprint} : json::Value{})
        .set("insecure", json::to_json(insecure))
        .set("treeDigest", tree_digest)
        .set_if(!dependencies.empty(), "dependencies", std::move(pinned))
        .set_if(is_layered(), "layers", std::move(digests))
        .set_text("manifestDigest", manifest_digest);
    return json::write(std::move(writer).done(), json::Style::four_blanks) + "\n";
}

} // namespace rocket::store

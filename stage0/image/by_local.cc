// SPDX-License-Identifier: Apache-2.0
// oci:, oci-archive: and docker-archive: (oci.md chapters 9 and 10). Nobody signs these: they take
// --insecure-options=image.
#include <filesystem>

#include "common/sys/text.hh"
#include "stage0/image/allowed.hh"
#include "stage0/image/pending.hh"
#include "stage0/image/source.hh"
#include "stage0/oci/docker_archive.hh"
#include "stage0/oci/docker_name.hh"
#include "stage0/oci/import_image.hh"
#include "stage0/oci/import_pending.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::image
{

namespace
{

using Format = LocalReference::Format;

// The name of the converted image: that of the tag, if it is a reference, else that of the file (oci.md 11).
oci::Origin name_of(const LocalReference& local)
{
    oci::Origin origin;
    try {
        if (local.name.find('/') != std::string::npos || local.format == Format::docker_archive) {
            const auto name = oci::DockerName::parse(local.name);
            return {.name = name.repository(),
                    .version = name.version(),
                    .original = name.str(),
                    .registry = name.api_host(),
                    .repository = name.path,
                    .tag = name.tag};
        }
    } catch (const Error&) { // any name is allowed in a layout
    }
    origin.name = std::filesystem::path{local.path}.lexically_normal().stem().string();
    if (origin.name.empty() || origin.name == ".")
        origin.name = "image";
    if (!local.name.starts_with('@')) {
        origin.version = local.name;
        origin.tag = local.name;
    }
    return origin;
}

oci::Origin origin_of(const LocalReference& local, const oci::ResolvedImage& image)
{
    auto origin = name_of(local);
    if (!image.manifest.empty())
        origin.manifest_digest = store::ContentDigest::of(image.manifest).str();
    return origin;
}

class LocalImage
{
public:
    LocalImage(const store::Store& store, const LocalReference& local, const oci::Platform& host)
    {
        if (local.format == Format::oci)
            files_ = std::make_unique<oci::Directory>(local.path);
        else
            files_ = std::make_unique<oci::Archive>(local.path, store.layout().store_tmp(), store.options());
        if (local.format == Format::docker_archive)
            open_saved(local.name);
        else
            open_layout(local.name, host);
    }
    const oci::ResolvedImage& image() const noexcept { return image_; }
    oci::Content& content() const noexcept { return *content_; }
    const std::string& only_tag() const noexcept { return only_tag_; }

private:
    void open_layout(const std::string& name, const oci::Platform& host)
    {
        content_ = std::make_unique<oci::LayoutContent>(*files_);
        image_ = oci::resolve(*content_, oci::find_in_layout(*files_, name), host);
    }
    void open_saved(const std::string& name)
    {
        content_ = std::make_unique<oci::SavedContent>(*files_);
        const auto saved = oci::find_saved(*files_, name);
        image_ = oci::resolve_saved(oci::saved_config(*files_, saved), saved.layers);
        only_tag_ = name.empty() && saved.tags.size() == 1 ? saved.tags.front() : "";
    }

    std::unique_ptr<oci::Files> files_;
    std::unique_ptr<oci::Content> content_;
    oci::ResolvedImage image_;
    std::string only_tag_;
};

std::string_view transport_of(Format format)
{
    return format == Format::oci ? "oci" : format == Format::oci_archive ? "oci-archive" : "docker-archive";
}

// Nothing in these formats is signed: the host's policy lets them in, or the user does.
std::string grounds_for(const Session& session, const LocalReference& local, const std::string& asked)
{
    oci::Demands demands;
    if (const auto& policy = session.network().policy)
        demands = policy().of_file(transport_of(local.format),
                                   std::filesystem::absolute(local.path).lexically_normal().string());
    oci::refuse_rejected(demands, asked);
    if (!session.checks_signatures())
        return "image";
    if (demands.is_anything_taken && demands.signatures.empty())
        return "unsigned";
    throw Error{Error::Kind::untrusted, fmt::format("{}: nothing in this format is signed", text::quoted(asked)),
                "say --insecure-options=image if you trust it all the same"};
}

// By a member of the group: root takes it in later. `named`: with the tag, if there is only one.
model::ImageId import_for_root(Session& session, oci::Content& content, const oci::ResolvedImage& image,
                               const LocalReference& named, const store::Import::Facts& facts, const Request& request)
{
    const bool has_manifest = !image.manifest.empty();
    const auto document = store::ContentDigest::of(has_manifest ? image.manifest : image.config);
    oci::Finding finding{
        .facts = {.reference = source_of(named), .document = document, .platform = request.platform},
        .documents = {{has_manifest ? oci::Manifest::parse(image.manifest).config.digest : document, image.config}}};
    if (has_manifest)
        finding.documents[document] = image.manifest;
    return oci::import_pending(
        session.store(), content, image, origin_of(named, image), finding, facts,
        [&](const std::string& line) { session.say(line); }, session.layer_progress("Reading"));
}

} // namespace

// Wherever the command is run.
std::string source_of(const LocalReference& local)
{
    return fmt::format("{}:{}{}{}", transport_of(local.format),
                       std::filesystem::absolute(local.path).lexically_normal().string(), local.name.empty() ? "" : ":",
                       local.name);
}

model::ImageId acquire_from(Session& session, const LocalReference& local, const Request& request)
{
    refuse_signature(request);
    const auto insecure = grounds_for(session, local, request.image);
    session.store().tidy();
    return with_context(text::quoted(request.image), [&] {
        const LocalImage opened{session.store(), local, platform_of(request)};
        check_platform(opened.image().parsed.platform, request);
        auto named = local;
        if (!opened.only_tag().empty())
            named.name = opened.only_tag();
        const store::Import::Facts facts{
            .requested = request.image, .source = source_of(local), .insecure = {insecure}};
        const auto warn = [&](const std::string& line) { session.say(line); };
        if (store::can_render())
            return oci::import_image(session.store(), opened.content(), opened.image(),
                                     origin_of(named, opened.image()), facts, warn,
                                     session.layer_progress("Unpacking"));
        return import_for_root(session, opened.content(), opened.image(), named, facts, request);
    });
}

void require_allowed(Session& session, const LocalReference& local, const store::Record& record)
{
    grounds_for(session, local, record.requested);
}

// Nothing in it is signed: only whoever does not ask for signatures can use it.
model::ImageId take_over(Session& session, const LocalReference& local, const Pending& pending)
{
    if (session.checks_signatures())
        fail(Error::Kind::untrusted, "nothing in this format is signed (--insecure-options=image does without)");
    oci::PendingContent content{pending.files};
    return oci::import_image(
        session.store(), content, pending.image, origin_of(local, pending.image),
        {.requested = pending.facts.reference, .source = pending.source, .insecure = {"image"}},
        [&](const std::string& line) { session.debug(line); }, session.layer_progress("Unpacking"));
}

} // namespace rocket::image

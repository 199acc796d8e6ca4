// SPDX-License-Identifier: Apache-2.0
// docker://[HOST/]NAME[:TAG|@DIGEST], from any registry (oci.md chapters 1 to 3).
#include "common/model/platform.hh"
#include "common/sys/file.hh"
#include "common/sys/text.hh"
#include "stage0/image/allowed.hh"
#include "stage0/image/docker_signature.hh"
#include "stage0/image/pending.hh"
#include "stage0/image/source.hh"
#include "stage0/oci/docker_name.hh"
#include "stage0/oci/import_image.hh"
#include "stage0/oci/import_pending.hh"
#include "stage0/oci/registry.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::image
{

namespace
{

oci::DockerName parse_docker(const std::string& text)
{
    std::string_view rest{text};
    rest.remove_prefix(std::string_view{"docker:"}.size());
    if (rest.starts_with("//"))
        rest.remove_prefix(2);
    return oci::DockerName::parse(rest);
}

std::string source_of(const oci::DockerName& name)
{
    return "docker://" + name.str();
}

oci::Rules rules_of(const Session& session, const oci::DockerName& name)
{
    auto rules = oci::rules_for(session.network().registries, name);
    if (const auto& policy = session.network().policy)
        oci::apply(policy(), name, rules);
    if (const auto& lookaside = session.network().lookaside; lookaside && rules.signatures.empty())
        rules.signatures = lookaside().place_of(name);
    return rules;
}

// An image without labels may be for anything.
bool is_for(const store::Entry& entry, const oci::Platform& platform)
{
    const auto* os = model::find(entry.labels, "os");
    const auto* arch = model::find(entry.labels, "arch");
    if (os == nullptr || arch == nullptr)
        return true;
    try {
        const bool is_level = platform.architecture == "amd64"; // of the processor: no label says that
        const auto wanted = model::from_oci(
            {.os = platform.os, .architecture = platform.architecture, .variant = is_level ? "" : platform.variant});
        return *os == wanted.os && *arch == wanted.arch;
    } catch (const Error&) { // no label says that
        return false;
    }
}

// What a member has fetched, if its signatures are good. That it came from there is only his word without them, which
// is good enough for whoever names the image by its id, but not by its name: the registry is asked.
bool may_take_over(Session& session, const model::ImageId& id, const std::string& source)
{
    if (!session.checks_signatures())
        return false;
    try {
        const auto facts = store::PendingImage{session.store().open_hearsay(id)}.facts();
        if (!facts || facts->reference != source)
            return false;
        session.take_over(id);
        return true;
    } catch (const Error& error) {
        session.say(error.innermost());
        return false;
    }
}

std::string signature_of(const store::Store& store, const model::ImageId& id)
{
    const auto dir = store.open_hearsay(id);
    return file::read_if_exists(dir.get(), model::image_dir::signature, largest_signature).value_or("");
}

// On grounds that are good enough now. Whoever does not check signatures is kept from what the policy rejects only.
void require_good_grounds(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                          const store::Record& record)
{
    if (!session.checks_signatures() || rules.are_unsigned_taken)
        return;
    if (rules.signed_by.empty())
        return session.require_verified(record.id);
    if (!record.is_verified() || !is_still_demanded(session, name, rules, signature_of(session.store(), record.id)))
        throw Error{Error::Kind::untrusted,
                    fmt::format("image {} has no signature that the policy demands for {} now",
                                text::quoted(record.id.key()), text::quoted(name.str())),
                    fmt::format("`rocket fetch {}` gets it again, with its signatures", source_of(name))};
}

// The latest that was fetched by that reference.
std::optional<model::ImageId> find_stored(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                                          const oci::Platform& platform)
{
    const auto& store = session.store();
    const auto image_name = model::AcIdentifier::sanitized(name.repository());
    for (const auto& entry : store.find(model::ImageName{.name = image_name})) {
        if (!is_for(entry, platform) || (!entry.is_believed && !may_take_over(session, entry.id, source_of(name))))
            continue;
        const auto record = store.record(entry.id);
        if (record.source == source_of(name) &&
            session.is_met([&] { require_good_grounds(session, name, rules, record); }))
            return entry.id;
    }
    return std::nullopt;
}

oci::Origin origin_of(const oci::DockerName& name, const std::string& manifest)
{
    return {.name = name.repository(),
            .version = name.version(),
            .original = name.str(),
            .registry = name.api_host(),
            .repository = name.path,
            .tag = name.tag,
            .manifest_digest = store::ContentDigest::of(manifest).str()};
}

// Mirrors, and then the registry itself.
std::vector<oci::Registry::Place> places_of(const Session& session, const oci::DockerName& name,
                                            const oci::Rules& rules)
{
    const auto& find = session.network().docker_login;
    const auto login = [&](const std::string& host) { return find ? find(host) : std::nullopt; };
    std::vector<oci::Registry::Place> places;
    for (const auto& [host, repository] : rules.mirrors)
        places.push_back(
            {.host = host, .repository = repository, .login = login(host), .knows_tags = rules.mirror_tags});
    const auto host = name.api_host();
    places.push_back({.host = host, .repository = name.path, .login = login(host), .knows_tags = true});
    return places;
}

oci::Registry::Hooks hooks_of(Session& session)
{
    oci::Registry::Hooks hooks{.say = [&](const std::string& line) { session.say(line); },
                               .debug = [&](const std::string& line) { session.debug(line); }};
    if (const auto& progress = session.hooks().progress)
        hooks.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
            progress("layers", done, total);
        };
    hooks.layer_progress = session.layer_progress("Downloading");
    return hooks;
}

struct Admission {
    store::Import::Facts facts;
    std::vector<std::string> signatures = {};
};

// On what grounds it is let in (R11): before its layers are fetched.
Admission admit_signed(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                       const SignaturePlace& place, const std::string& document, const oci::ResolvedImage& image)
{
    std::vector<store::ContentDigest> manifests{store::ContentDigest::of(document)};
    if (image.manifest != document)
        manifests.push_back(store::ContentDigest::of(image.manifest));
    auto grounds = verify_docker(session, name, rules, place, manifests);
    Admission admission{.facts = {.requested = {}, .source = source_of(name)}};
    admission.facts.fingerprint = std::move(grounds.fingerprint);
    admission.facts.signature = grounds.signatures.back();
    admission.signatures = std::move(grounds.signatures);
    return admission;
}

Admission admit(Session& session, const oci::DockerName& name, const oci::Rules& rules, const std::string& document,
                const oci::ResolvedImage& image)
{
    if (!session.checks_signatures())
        return {.facts = {.requested = {}, .source = source_of(name), .insecure = {"image"}}};
    if (rules.are_unsigned_taken) {
        session.say(fmt::format("{} needs no signature: the configuration says so", source_of(name)));
        return {.facts = {.requested = {}, .source = source_of(name), .insecure = {"unsigned"}}};
    }
    return admit_signed(session, name, rules, signatures_at(session, name, rules.signatures), document, image);
}

model::ImageId fetch_image(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                           const Request& request)
{
    session.store().tidy();
    const auto lock = session.lock(source_of(name) + " " + request.platform);
    if (lock.had_to_wait())
        if (const auto done = find_stored(session, name, rules, platform_of(request)))
            return *done;
    session.debug(fmt::format("fetching image from {}", source_of(name)));
    oci::Registry registry{session.network().client, name, places_of(session, name, rules), session.store().layout(),
                           hooks_of(session)};
    const auto named = registry.named();
    oci::KeptDocuments content{registry};
    const auto image = oci::resolve(content, named.document, named.media_type, platform_of(request));
    check_platform(image.parsed.platform, request);
    session.say(fmt::format("{} is {}", source_of(name), store::ContentDigest::of(named.document).str()));
    auto [facts, signatures] = admit(session, name, rules, named.document, image);
    facts.requested = request.image;
    const auto origin = origin_of(name, image.manifest);
    const auto warn = [&](const std::string& line) { session.say(line); };
    if (store::can_render())
        return oci::import_image(session.store(), content, image, origin, facts, warn,
                                 session.layer_progress("Unpacking"));
    const auto digest = store::ContentDigest::of(named.document);
    oci::Finding finding{.facts = {.reference = source_of(name),
                                   .document = digest,
                                   .media_type = named.media_type,
                                   .platform = request.platform},
                         .documents = content.kept(),
                         .signatures = std::move(signatures)};
    finding.documents[digest] = named.document;
    return oci::import_pending(session.store(), content, image, origin, finding, facts, warn,
                               session.layer_progress("Reading"));
}

// Kind::untrusted if there is no way in which the image could be let in.
void check_policy(const Session& session, const oci::DockerName& name, const oci::Rules& rules)
{
    if (!session.checks_signatures() || rules.are_unsigned_taken || !rules.signatures.empty())
        return;
    throw Error{Error::Kind::untrusted,
                fmt::format("nobody says where signatures of {} are, so that none can be verified "
                            "(try --insecure-options=image)",
                            text::quoted(name.str())),
                "a file in registries.d of the configuration says so (see rocket-config(5)); digests are "
                "checked in any case"};
}

} // namespace

std::string source_of(const DockerReference& docker)
{
    return source_of(parse_docker(docker.text));
}

model::ImageId acquire_from(Session& session, const DockerReference& docker, const Request& request)
{
    refuse_signature(request);
    const auto name = parse_docker(docker.text);
    const auto rules = rules_of(session, name);
    if (request.policy != PullPolicy::update)
        if (const auto found = find_stored(session, name, rules, platform_of(request)))
            return *found;
    if (request.policy == PullPolicy::never)
        fail(Error::Kind::not_found, "{} is not in the local store", text::quoted(docker.text));
    check_policy(session, name, rules);
    return with_context(fmt::format("unable to fetch docker image from URL {}", text::quoted(docker.text)),
                        [&] { return fetch_image(session, name, rules, request); });
}

void require_allowed(Session& session, const DockerReference& docker, const store::Record& record)
{
    const auto name = parse_docker(docker.text);
    require_good_grounds(session, name, rules_of(session, name), record);
}

// By his name for it, which its signatures have to be for; without any, its name is not known.
model::ImageId take_over(Session& session, const DockerReference& docker, const Pending& pending)
{
    const auto name = parse_docker(docker.text);
    const auto rules = rules_of(session, name);
    Admission admission{.facts = {.requested = {}, .source = pending.source, .insecure = {"image"}}};
    if (session.checks_signatures())
        admission =
            admit_signed(session, name, rules,
                         {.name = "the store",
                          .find = [&](const auto&, unsigned number) { return pending.files.signature(number); }},
                         pending.document, pending.image);
    admission.facts.requested = docker.text;
    oci::PendingContent content{pending.files};
    return oci::import_image(
        session.store(), content, pending.image, origin_of(name, pending.image.manifest), admission.facts,
        [&](const std::string& line) { session.debug(line); }, session.layer_progress("Unpacking"));
}

} // namespace rocket::image

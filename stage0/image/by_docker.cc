// SPDX-License-Identifier: Apache-2.0
// docker://[HOST/]NAME[:TAG|@DIGEST], from any registry (oci.md chapters 1 to 3).
#include "common/sys/text.hh"
#include "stage0/image/source.hh"
#include "stage0/oci/docker_name.hh"
#include "stage0/oci/import_image.hh"
#include "stage0/oci/registry.hh"

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

// The latest that was fetched by that reference.
std::optional<model::ImageId> find_stored(const Session& session, const oci::DockerName& name)
{
    const auto& store = session.store();
    const auto image_name = model::AcIdentifier::sanitized(name.repository());
    for (const auto& entry : store.find(model::ImageName{.name = image_name})) {
        const auto record = store.record(entry.id);
        if (record.source == source_of(name) && (!session.checks_signatures() || entry.verified))
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

model::ImageId fetch_image(Session& session, const oci::DockerName& name, const Request& request)
{
    session.store().tidy();
    const auto lock = session.lock(source_of(name));
    if (lock.had_to_wait())
        if (const auto done = find_stored(session, name))
            return *done;
    session.debug(fmt::format("fetching image from {}", source_of(name)));
    auto& client = session.network().client;
    const auto& login = session.network().docker_login;
    oci::Registry::Hooks hooks{.say = [&](const std::string& line) { session.say(line); },
                               .debug = [&](const std::string& line) { session.debug(line); }};
    if (const auto& progress = session.hooks().progress)
        hooks.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
            progress("layers", done, total);
        };
    oci::Registry registry{client,
                           name,
                           {{.host = name.api_host(),
                             .repository = name.path,
                             .login = login ? login(name.api_host()) : std::nullopt,
                             .knows_tags = true}},
                           session.store().layout(),
                           std::move(hooks)};
    const auto named = registry.named();
    const auto image = oci::resolve(registry, named.document, named.media_type);
    session.say(fmt::format("{} is {}", source_of(name), store::ContentDigest::of(named.document).str()));
    return oci::import_image(session.store(), registry, image, origin_of(name, image.manifest),
                             {.requested = request.image, .source = source_of(name), .insecure = {"image"}},
                             [&](const std::string& line) { session.say(line); });
}

} // namespace

model::ImageId acquire_from(Session& session, const DockerReference& docker, const Request& request)
{
    refuse_signature(request);
    const auto name = parse_docker(docker.text);
    if (request.policy != PullPolicy::update)
        if (const auto found = find_stored(session, name))
            return *found;
    if (request.policy == PullPolicy::never)
        fail(Error::Kind::not_found, "{} is not in the local store", text::quoted(docker.text));
    if (session.checks_signatures())
        throw Error{Error::Kind::untrusted,
                    "signature verification for docker images is not supported (try --insecure-options=image)",
                    "digests are checked in any case; name one with @sha256:... to get exactly that image"};
    return with_context(fmt::format("unable to fetch docker image from URL {}", text::quoted(docker.text)),
                        [&] { return fetch_image(session, name, request); });
}

} // namespace rocket::image

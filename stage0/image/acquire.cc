// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/acquire.hh"

#include "common/sys/text.hh"
#include "stage0/fetch/url.hh"
#include "stage0/image/by_name.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

PullPolicy parse_pull_policy(std::string_view text)
{
    if (text == "new")
        return PullPolicy::fresh;
    if (text == "update")
        return PullPolicy::update;
    if (text == "never")
        return PullPolicy::never;
    throw Error{Error::Kind::usage, fmt::format("unknown pull policy {}", text::quoted(text)),
                "the policies are new, update and never"};
}

void refuse_signature(const Request& request)
{
    if (!request.signature.empty())
        throw Error{Error::Kind::usage,
                    fmt::format("{} is not a file, so --signature cannot go with it", text::quoted(request.image)),
                    "an image in the store was verified when it was fetched"};
}

oci::Platform platform_of(const Request& request)
{
    return request.platform.empty() ? oci::host_platform() : oci::parse_platform(request.platform);
}

// Its variant may be told by the index alone (OIDX-10).
void check_platform(const oci::Platform& platform, const Request& request)
{
    const auto wanted = platform_of(request);
    const auto have = oci::normalized(platform);
    if (!request.platform.empty() && (have.os != wanted.os || have.architecture != wanted.architecture))
        fail(Error::Kind::not_found, "the image is for {}/{}, not for {}", text::printable(platform.os),
             text::printable(platform.architecture), request.platform);
}

Acquirer::Acquirer(store::Store& store, Verifier* verifier, Network& network, Hooks hooks)
    : session_{store, verifier, network, std::move(hooks)}
{
}

model::ImageId Acquirer::acquire(const Request& request)
{
    const auto reference = parse_reference(request.image);
    const bool has_platforms =
        std::holds_alternative<DockerReference>(reference) || std::holds_alternative<LocalReference>(reference);
    if (!request.platform.empty() && !has_platforms)
        throw Error{
            Error::Kind::usage,
            fmt::format("{} is no Docker or OCI image, so --platform cannot go with it", text::quoted(request.image)),
            "the labels os and arch behind a name choose, as in NAME,os=linux,arch=aarch64"};
    use_policy(request.policy);
    const auto id = std::visit([&](const auto& which) { return acquire_from(session_, which, request); }, reference);
    session_.dependencies().complete(id); // it may have been there, and what it depends on may not
    return id;
}

void Acquirer::take_over(const model::ImageId& id)
{
    use_policy(PullPolicy::never);
    session_.take_over(id);
}

// What an image depends on is got in the way the image itself is.
void Acquirer::use_policy(PullPolicy policy)
{
    if (policy == PullPolicy::never)
        return session_.dependencies().use(Dependencies::First::store, {});
    session_.dependencies().use(
        policy == PullPolicy::update ? Dependencies::First::fetch : Dependencies::First::store,
        [this](const model::ImageName& name, std::uint64_t size) {
            return acquire_from(session_, name, {.image = name.str(), .policy = PullPolicy::update, .largest = size});
        });
}

namespace
{

// By which images of the store can be found that were fetched by it; nullopt: it is a name or an id.
std::optional<std::string> source_in(const std::string& image)
{
    if (image.find(':') == image.npos || model::ImageIdPrefix::looks_like(image))
        return std::nullopt;
    const auto reference = parse_reference(image, [](const std::string&) { return false; });
    if (const auto* docker = std::get_if<DockerReference>(&reference))
        return source_of(*docker);
    if (const auto* local = std::get_if<LocalReference>(&reference))
        return source_of(*local);
    if (const auto* url = std::get_if<UrlReference>(&reference))
        return fetch::Url::parse(url->url).str();
    return std::nullopt;
}

// The latest, if there are several: a tag means another image by and by.
model::ImageId find_fetched(const store::Store& store, const std::string& source)
{
    std::optional<store::Entry> latest;
    for (auto& entry : store.list()) {
        try {
            if (store.record(entry.id).source == source && (!latest || entry.imported_ns > latest->imported_ns))
                latest = std::move(entry);
        } catch (const Error&) { // damaged, or removed meanwhile: another's business
        }
    }
    if (!latest)
        throw Error{Error::Kind::not_found, fmt::format("no image of the local store is {}", text::quoted(source)),
                    "`rocket image list` shows what is in the store"};
    return latest->id;
}

} // namespace

model::ImageId find_in_store(const store::Store& store, const std::string& image)
{
    if (image.starts_with('/') || image.starts_with("./") || image.starts_with("../")) // no name begins so
        throw Error{Error::Kind::usage,
                    fmt::format("{} is a path, and no image of the local store is called by one", text::quoted(image)),
                    "say its id, which `rocket fetch` prints, or its name: `rocket image list` shows both"};
    if (const auto source = source_in(image))
        return with_context("cannot find image", [&] { return find_fetched(store, *source); });
    if (model::ImageIdPrefix::looks_like(image))
        return with_context("cannot resolve image ID", [&] { return store.find(model::ImageIdPrefix::parse(image)); });
    return with_context("cannot find image", [&] {
        const auto name = model::ImageName::parse(image);
        const auto found = store.find(name);
        if (found.empty())
            throw not_in_store(name, "`rocket image list` shows what is in the store");
        return found.front().id;
    });
}

} // namespace rocket::image

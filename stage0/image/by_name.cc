// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/by_name.hh"

#include <algorithm>

#include <fmt/ranges.h>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/image/allowed.hh"
#include "stage0/image/discovery.hh"
#include "stage0/image/remote.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

namespace
{

// Labels the user gave have to be there; the host's os and arch must not be contradicted.
bool suits_host(const store::Entry& entry, const model::ImageName& wanted)
{
    const auto host = wanted.for_host();
    return std::all_of(host.labels.begin(), host.labels.end(), [&](const model::Label& label) {
        const auto* have = model::find(entry.labels, label.name.str());
        return have != nullptr ? *have == label.value : model::find(wanted.labels, label.name.str()) == nullptr;
    });
}

std::string describe(const model::Labels& labels)
{
    std::vector<std::string> words;
    for (const auto& label : labels)
        words.push_back(fmt::format("{}={}", label.name.str(), label.value));
    return text::printable(fmt::format("[{}]", fmt::join(words, " ")));
}

} // namespace

Error not_in_store(const model::ImageName& name, std::string hint)
{
    return {Error::Kind::not_found,
            fmt::format("cannot find aci satisfying name: {} and labels: {} in the local store",
                        text::quoted(name.name.str()), describe(name.labels)),
            std::move(hint)};
}

std::optional<model::ImageId> find_named(Session& session, const model::ImageName& name)
{
    auto entries = session.store().find(name);
    std::erase_if(entries, [&](const auto& entry) { return !suits_host(entry, name); });
    std::optional<Error> refusal; // of the latest
    for (const auto& entry : entries)
        try {
            if (!entry.is_believed)
                session.take_over(entry.id);
            require_allowed(session, entry.id);
            return entry.id;
        } catch (const Error& error) {
            if (error.kind() != Error::Kind::untrusted)
                throw;
            if (!refusal)
                refusal = error;
        }
    if (refusal)
        throw *refusal;
    return std::nullopt;
}

namespace
{

// The first place that has it. A bad signature, or another image than was asked for, is final (DISC-29).
model::ImageId fetch_discovered(Session& session, const model::ImageName& name, const Request& request)
{
    const auto wanted = name.for_host();
    if (session.checks_signatures() && session.hooks().find_keys)
        session.hooks().find_keys(name.name);
    const auto endpoints = discover_images(session.network(), wanted);
    for (auto endpoint = endpoints.begin();; ++endpoint) {
        try {
            return acquire_remote(
                session, {.url = endpoint->image, .signature = endpoint->signature, .expected = &name}, request);
        } catch (const fetch::HttpError& error) {
            if (endpoint + 1 == endpoints.end())
                throw;
            session.say(fmt::format("{}; trying the next place", error.innermost()));
        }
    }
}

// Of an operating system that brings images along: NAME-VERSION-OS-ARCH.aci, as in simple discovery (appc 15).
std::optional<std::string> shipped_file(const Session& session, const model::ImageName& name)
{
    const auto& directory = session.network().shipped;
    for (const auto& label : name.labels)
        if (label.value.find('/') != std::string::npos) // would lead elsewhere
            return std::nullopt;
    const auto file = render_template("{name}-{version}-{os}-{arch}.{ext}", name.for_host(), "aci");
    if (directory.empty() || !file)
        return std::nullopt;
    auto path = directory + "/" + *file;
    return sys::stat_if_exists(AT_FDCWD, path, 0) ? std::optional{std::move(path)} : std::nullopt;
}

} // namespace

model::ImageId acquire_from(Session& session, const model::ImageName& name, const Request& request)
{
    refuse_useless_signature(session, request);
    const auto context = fmt::format("unable to fetch image from image name {}", text::quoted(name.name.str()));
    if (request.policy != PullPolicy::update)
        if (const auto found = find_named(session, name)) {
            refuse_signature(request);
            return *found;
        }
    return with_context(context, [&] {
        if (request.policy != PullPolicy::update)
            if (const auto path = shipped_file(session, name)) // no network is needed for it
                return acquire_file(session, *path, request, name);
        if (request.policy == PullPolicy::never)
            throw not_in_store(name.for_host(), "leave --pull-policy=never out to look for it where its name says");
        return fetch_discovered(session, name, request);
    });
}

} // namespace rocket::image

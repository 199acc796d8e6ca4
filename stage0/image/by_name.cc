// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/by_name.hh"

#include <algorithm>

#include <fmt/ranges.h>

#include "common/sys/text.hh"
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

std::optional<model::ImageId> find_named(const Session& session, const model::ImageName& name)
{
    auto entries = session.store().find(name);
    std::erase_if(entries, [&](const auto& entry) { return !suits_host(entry, name); });
    for (const auto& entry : entries)
        if (!session.checks_signatures() || entry.verified)
            return entry.id;
    if (!entries.empty())
        session.require_verified(entries.front().id); // says why not
    return std::nullopt;
}

// Under any policy: nothing that this build can reach is newer than what the store has.
model::ImageId acquire_from(Session& session, const model::ImageName& name, const Request& request)
{
    refuse_signature(request);
    if (const auto found = find_named(session, name))
        return *found;
    throw not_in_store(name.for_host(), "this build fetches local files only: give the path of one")
        .add_context(fmt::format("unable to fetch image from image name {}", text::quoted(name.name.str())));
}

} // namespace rocket::image

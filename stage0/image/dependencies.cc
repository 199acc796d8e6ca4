// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/dependencies.hh"

#include <algorithm>
#include <array>

#include "common/sys/text.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/recipe.hh"

namespace rocket::image
{

namespace
{

using model::Dependency;
using model::ImageId;
using model::ImageManifest;

constexpr std::array platform_labels{"os", "arch"};

// What was not asked for has to go with the image that depends on it; an image for any platform always does (DEP-8).
bool suits(const model::Labels& labels, const ImageManifest& dependent, const Dependency& dependency)
{
    return std::all_of(platform_labels.begin(), platform_labels.end(), [&](const char* name) {
        const auto* have = model::find(labels, name);
        const auto* wanted = model::find(dependent.labels, name);
        return model::find(dependency.labels, name) != nullptr || !have || !wanted || *have == *wanted;
    });
}

std::string describe(const Dependency& dependency)
{
    std::string line = dependency.image_name.str();
    for (const auto& label : dependency.labels)
        line += fmt::format(",{}={}", label.name.str(), label.value);
    return text::quoted(line) + (dependency.image_id ? fmt::format(" ({})", dependency.image_id->key()) : "");
}

// What is asked of the world, which answers for this host unless told otherwise.
model::ImageName name_to_fetch(const ImageManifest& dependent, const Dependency& dependency)
{
    model::ImageName name{.name = dependency.image_name, .labels = dependency.labels};
    const auto host = name.for_host();
    for (const char* label : platform_labels) {
        const auto* value = model::find(dependent.labels, label);
        const auto* asked = model::find(host.labels, label);
        if (value && asked && *value != *asked && !model::find(name.labels, label))
            model::set(name.labels, model::AcIdentifier::parse(label), *value);
    }
    return name;
}

// Tells, with all images on the way, what is wrong with one of them.
struct ChainError : Error {
    using Error::Error;
};

template <typename... Arg>
[[noreturn]] void refuse(fmt::format_string<Arg...> text, Arg&&... arg)
{
    throw ChainError{Error::Kind::corrupt, fmt::format(text, std::forward<Arg>(arg)...)};
}

} // namespace

void Dependencies::use(First first, Fetch fetch)
{
    first_ = first;
    fetch_ = std::move(fetch);
}

std::string Dependencies::path_to(const std::string& name) const
{
    std::string path;
    for (const auto& link : chain_)
        path += text::quoted(link.name) + " -> ";
    return path + name;
}

class Dependencies::Visit
{
public:
    Visit(Dependencies& all, const ImageId& id, const std::string& name) : chain_{all.chain_}
    {
        for (const auto& link : chain_)
            if (link.id == id)
                refuse("an image depends on itself: {}", all.path_to(text::quoted(name)));
        if (chain_.size() > store::deepest_dependency)
            refuse("images depend on each other more than {} levels deep: {}", store::deepest_dependency,
                   all.path_to(text::quoted(name)));
        chain_.push_back({id, name});
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { chain_.pop_back(); }

private:
    std::vector<Link>& chain_;
};

std::vector<ImageId> Dependencies::resolve(const ImageId& id, const ImageManifest& manifest)
{
    if (manifest.dependencies.size() > store::most_dependencies)
        refuse("image {} depends on more than {} others", text::quoted(manifest.name.str()), store::most_dependencies);
    const Visit visit{*this, id, manifest.name.str()};
    std::vector<ImageId> pinned;
    for (const auto& dependency : manifest.dependencies)
        pinned.push_back(resolve(manifest, dependency));
    return pinned;
}

ImageId Dependencies::resolve(const ImageManifest& dependent, const Dependency& dependency)
{
    // One that is named by its id cannot be any newer elsewhere.
    const bool store_first = first_ == First::store || dependency.image_id;
    auto id = store_first ? find(dependent, dependency) : fetch(dependent, dependency);
    if (!id)
        id = store_first ? fetch(dependent, dependency) : find(dependent, dependency);
    if (!id)
        throw ChainError{
            Error::Kind::not_found,
            fmt::format("an image is needed that is not in the local store: {}", path_to(describe(dependency))),
            "fetch that image first"};
    take_over_(*id);
    id = store_.record(*id).id;
    check(*id, dependent, dependency);
    complete(*id);
    return *id;
}

std::optional<ImageId> Dependencies::fetch(const ImageManifest& dependent, const Dependency& dependency)
{
    if (!fetch_)
        return std::nullopt;
    try {
        return fetch_(name_to_fetch(dependent, dependency), dependency.size);
    } catch (const ChainError&) { // says it all
        throw;
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::not_found)
            return std::nullopt;
        throw ChainError{error.kind(), fmt::format("{}: {}", path_to(describe(dependency)), error.innermost()),
                         error.hint()};
    }
}

std::optional<ImageId> Dependencies::find(const ImageManifest& dependent, const Dependency& dependency) const
{
    if (dependency.image_id) { // DEP-6; what it is called is checked later
        const auto entry = store::read_entry(store_.layout(), *dependency.image_id);
        return entry ? std::optional{entry->id} : std::nullopt;
    }
    auto entries = store_.find({.name = dependency.image_name, .labels = dependency.labels});
    std::erase_if(entries, [&](const store::Entry& entry) { return !suits(entry.labels, dependent, dependency); });
    if (entries.empty())
        return std::nullopt;
    const auto best = std::find_if(entries.begin(), entries.end(),
                                   [&](const store::Entry& entry) { return !verified_only_ || entry.verified; });
    return (best != entries.end() ? best : entries.begin())->id;
}

void Dependencies::check(const ImageId& id, const ImageManifest& dependent, const Dependency& dependency) const
{
    const auto record = store_.record(id);
    const auto manifest = store_.manifest(id);
    const auto complain = [&](const std::string& why) {
        refuse("{}, which {} asks for, {}", describe(dependency), text::quoted(dependent.name.str()), why);
    };
    if (dependency.image_id && !dependency.image_id->agrees_with(record.id))
        complain(fmt::format("has the id {}", record.id.digest()));
    if (manifest.name != dependency.image_name)
        complain(fmt::format("is called {}", text::quoted(manifest.name.str())));
    if (!model::satisfies(manifest.labels, dependency.labels))
        complain("has other labels");
    if (!suits(manifest.labels, dependent, dependency))
        complain("is for another os or arch");
    if (dependency.size != 0 && record.archive_bytes != dependency.size)
        complain(fmt::format("has {} bytes and not {}", record.archive_bytes, dependency.size));
    if (verified_only_ && !record.is_verified())
        throw ChainError{Error::Kind::untrusted,
                         fmt::format("the signature of an image that is needed was never checked: {}",
                                     path_to(describe(dependency))),
                         "fetch that image again with its signature, or say --insecure-options=image"};
}

void Dependencies::complete(const ImageId& id)
{
    if (complete_.contains(id))
        return;
    const auto manifest = store_.manifest(id);
    const auto pinned = store_.record(id).dependencies;
    if (pinned.size() != manifest.dependencies.size())
        throw ChainError{Error::Kind::corrupt,
                         fmt::format("the record of image {} does not fit its manifest", text::quoted(id.key())),
                         "remove it with `rocket image rm` and fetch it again"};
    const Visit visit{*this, id, manifest.name.str()};
    for (std::size_t i = 0; i < pinned.size(); ++i) {
        auto dependency = manifest.dependencies[i];
        dependency.image_id = pinned[i];
        resolve(manifest, dependency);
    }
    complete_.insert(id);
}

} // namespace rocket::image

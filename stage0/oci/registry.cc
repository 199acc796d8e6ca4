// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/registry.hh"

#include <algorithm>
#include <numeric>

#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

constexpr std::uint64_t largest_layer = std::uint64_t{64} << 30; // R16
constexpr std::size_t layers_at_once = 3;
constexpr std::size_t most_open = 64;

std::string without_parameters(const std::string& content_type)
{
    return std::string{text::trim(std::string_view{content_type}.substr(0, content_type.find(';')))};
}

} // namespace

Registry::Registry(fetch::Client& client, DockerName name, std::vector<Place> places, model::Layout layout, Hooks hooks)
    : client_{client}, name_{std::move(name)}, places_{std::move(places)}, layout_{std::move(layout)}, hooks_{std::move(
                                                                                                           hooks)},
      endpoints_(places_.size())
{
}

Endpoint& Registry::at(std::size_t place)
{
    auto& endpoint = endpoints_[place];
    if (!endpoint)
        endpoint = std::make_unique<Endpoint>(client_, places_[place].host, places_[place].repository,
                                              places_[place].login, hooks_.say);
    return *endpoint;
}

// What the first place gives that can; only the last one's error is an error.
template <typename Act>
auto Registry::first_good(Act&& act)
{
    for (std::size_t place = 0;; ++place) {
        try {
            return act(place);
        } catch (const Error& error) {
            if (is_last(place))
                throw;
            if (hooks_.debug)
                hooks_.debug(fmt::format("not from mirror {}: {}", places_[place].host, error.innermost()));
        }
    }
}

Registry::Named Registry::manifest(Endpoint& endpoint, const std::string& reference)
{
    auto asked = endpoint.request("manifests/" + reference, largest_manifest);
    asked.headers = {{.name = "Accept", .value = accepted_manifests()}};
    auto response = endpoint.get(asked);
    return {.document = std::move(response.body), .media_type = without_parameters(response.header("content-type"))};
}

Registry::Named Registry::named()
{
    return first_good([&](std::size_t place) {
        if (!name_.digest && !is_last(place) && !places_[place].knows_tags)
            fail(Error::Kind::not_found, "it is not asked what tags mean");
        auto found = manifest(at(place), name_.reference());
        if (name_.digest && !store::matches(*name_.digest, found.document))
            fail(Error::Kind::corrupt, "the manifest has another digest than {}", name_.digest->str());
        return found;
    });
}

std::string Registry::document(const Descriptor& descriptor, std::uint64_t limit)
{
    return first_good([&](std::size_t place) {
        auto& endpoint = at(place);
        const bool is_manifest = kind_of(descriptor.media_type) != MediaKind::config;
        auto text = is_manifest ? manifest(endpoint, descriptor.digest.str()).document
                                : endpoint.get(endpoint.request("blobs/" + descriptor.digest.str(), limit)).body;
        if (!is_last(place) && !store::matches(descriptor.digest, text))
            fail(Error::Kind::corrupt, "it has another digest than {}", descriptor.digest.str());
        return text;
    });
}

// The layers of one image: what is still to come, and how much of it is there.
class Registry::Download
{
public:
    Download(Registry& registry, std::span<const LayerPlace> layers, const OnLayer& done)
        : registry_{registry}, layers_{layers}, done_{done}, here_(layers.size())
    {
        for (const auto& layer : layers) {
            files_.push_back(std::make_shared<BlobFile>(registry_.layout_, *layer.digest));
            total_ += layer.size.value_or(0);
            left_.push_back(left_.size());
        }
    }

    // Those that an earlier command has fetched all of.
    void take_complete()
    {
        std::erase_if(left_, [&](std::size_t index) {
            return files_[index]->size() == layers_[index].size && take(index, true);
        });
    }
    // Several at a time.
    void take_from(Endpoint& endpoint, bool is_mirror)
    {
        endpoint.refresh();
        std::vector<fetch::Request> requests;
        for (const auto index : left_)
            requests.push_back(request(endpoint.request("blobs/" + layers_[index].digest->str(), 0), index));
        const auto asked = left_;
        endpoint.client().perform(
            requests,
            [&](std::size_t which, const fetch::Response& response) {
                const auto index = asked[which];
                const bool is_sure = !is_mirror && requests[which].resume_at == 0 && response.begin == 0;
                if (is_good(response) && take(index, !is_sure))
                    std::erase(left_, index);
            },
            layers_at_once);
    }
    // One by one, with all that may help: a new token, a server's second thoughts, other places.
    void take_rest(Endpoint& endpoint)
    {
        for (const auto index : left_) {
            auto response = endpoint.ask(request(endpoint.request("blobs/" + layers_[index].digest->str(), 0), index));
            for (const auto& url : layers_[index].urls) { // of what may not be redistributed (OMAN-4)
                if (is_good(response))
                    break;
                files_[index]->clear();
                response = endpoint.client().perform(request({.url = url}, index));
            }
            if (!is_good(response))
                endpoint.fail_refused(response);
            take(index, false);
        }
    }
    bool is_over() const noexcept { return left_.empty(); }

private:
    static bool is_good(const fetch::Response& response) { return response.status == 200 || response.status == 206; }

    fetch::Request request(fetch::Request request, std::size_t index)
    {
        auto& file = *files_[index];
        request.limit = layers_[index].size.value_or(largest_layer);
        if (file.size() >= request.limit)
            file.clear();
        request.output = file.fd().get();
        request.resume_at = file.size();
        request.is_immutable = true;
        if (registry_.hooks_.progress)
            request.progress = [this, index](std::uint64_t done, std::optional<std::uint64_t>) {
                here_[index] = done;
                if (registry_.hooks_.layer_progress)
                    registry_.hooks_.layer_progress(*layers_[index].digest, done, layers_[index].size);
                registry_.hooks_.progress(std::accumulate(here_.begin(), here_.end(), std::uint64_t{0}), total_);
            };
        return request;
    }

    // The whole of it is there; false if it has to be fetched again. What came in one piece from the registry itself is
    // read once only: whoever unpacks it looks at the digest.
    bool take(std::size_t index, bool look_at_digest)
    {
        auto& file = files_[index];
        here_[index] = file->size();
        if (look_at_digest && !file->has_digest()) {
            file->clear();
            return false;
        }
        file->set_complete();
        const auto size = file->size();
        done_(index, {.file = {file, &file->fd()}, .begin = 0, .size = size, .is_download = true});
        file.reset(); // from now on whoever reads it keeps it
        return true;
    }

    Registry& registry_;
    std::span<const LayerPlace> layers_;
    const OnLayer& done_;
    std::vector<std::shared_ptr<BlobFile>> files_;
    std::vector<std::uint64_t> here_;
    std::uint64_t total_ = 0;
    std::vector<std::size_t> left_;
};

// Some at a time: each has files open.
void Registry::layers(std::span<const LayerPlace> layers, const OnLayer& done)
{
    for (std::size_t first = 0; first < layers.size(); first += most_open) {
        const auto some = layers.subspan(first, std::min(most_open, layers.size() - first));
        const OnLayer done_here = [&](std::size_t index, Bytes bytes) { done(first + index, std::move(bytes)); };
        Download download{*this, some, done_here};
        download.take_complete();
        first_good([&](std::size_t place) {
            download.take_from(at(place), !is_last(place));
            if (!is_last(place) && !download.is_over())
                fail(Error::Kind::not_found, "it has not got all layers");
        });
        download.take_rest(at(places_.size() - 1));
    }
}

} // namespace rocket::oci

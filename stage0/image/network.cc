// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/network.hh"

#include "stage0/image/authorization.hh"

namespace rocket::image
{

namespace
{

using Auth = std::map<std::string, config::Credentials>;

const config::Credentials* find(const Auth& auth, const fetch::Url& url)
{
    const auto found = auth.find(url.authority());
    return found != auth.end() ? &found->second : nullptr;
}

} // namespace

Network::Network(fetch::Client::Options options, const config::Config& config)
    : client{options}, registries{config.registries}
{
    for_images = [auth = config.auth](const std::string& method, const fetch::Url& url) {
        const auto* credentials = find(auth, url);
        return credentials != nullptr ? authorization(*credentials, method, url) : fetch::Headers{};
    };
    for_pages = [auth = config.auth](const std::string& method, const fetch::Url& url) {
        const auto* credentials = find(auth, url);
        if (credentials == nullptr || std::holds_alternative<config::AwsAuth>(*credentials))
            return fetch::Headers{};
        return authorization(*credentials, method, url);
    };
}

} // namespace rocket::image

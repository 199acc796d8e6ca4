// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/registry.hh"

#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/sys.hh"
#include "stage0/oci/challenge.hh"
#include "stage0/oci/login.hh"

namespace rocket::oci
{

namespace
{

constexpr std::uint64_t largest_token = std::uint64_t{1} << 20;
constexpr std::uint64_t largest_layer = std::uint64_t{64} << 30; // R16
constexpr std::size_t layers_at_once = 3;

std::string encoded(std::string_view text)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    std::string out;
    for (const char c : text)
        out += plain.find(c) != plain.npos ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
}

// "CODE: message" of the first error in the body (ODIST-9); empty if it is nothing of the kind.
std::string told(const std::string& body)
{
    try {
        const auto value = model::json::parse(body, "error");
        const auto* errors = value.find("errors");
        if (errors == nullptr || errors->array() == nullptr || errors->array()->empty())
            return {};
        const auto& first = errors->array()->front();
        const auto* code = first.find("code");
        const auto* message = first.find("message");
        const auto word = [](const model::json::Value* text) {
            return text != nullptr && text->string() != nullptr ? *text->string() : std::string{};
        };
        return text::printable(fmt::format("{}: {}", word(code), word(message)).substr(0, 500));
    } catch (const Error&) { // any server may answer anything
        return {};
    }
}

std::string without_parameters(const std::string& content_type)
{
    return std::string{text::trim(std::string_view{content_type}.substr(0, content_type.find(';')))};
}

Fd make_scratch(const std::string& directory)
{
    return sys::open(AT_FDCWD, directory, O_TMPFILE | O_RDWR, 0600);
}

Bytes bytes_of(const std::shared_ptr<Fd>& file)
{
    return {.file = file, .begin = 0, .size = static_cast<std::uint64_t>(sys::stat(file->get()).st_size)};
}

} // namespace

Registry::Registry(fetch::Client& client, DockerName name, std::optional<config::BasicAuth> login, std::string scratch)
    : client_{client}, name_{std::move(name)}, login_{std::move(login)}, scratch_{std::move(scratch)},
      base_{"https://" + name_.api_host()}
{
    if (client_.options().insecure_http)
        choose_scheme();
}

// http only where there is no https, and only because the user allowed it (OREF-8).
void Registry::choose_scheme()
{
    try {
        client_.perform({.url = base_ + "/v2/", .attempts = 1});
    } catch (const fetch::HttpError&) {
        base_ = "http://" + name_.api_host();
    }
}

fetch::Request Registry::request(const std::string& path, std::uint64_t limit)
{
    fetch::Request request{.url = fmt::format("{}/v2/{}/{}", base_, name_.path, path), .limit = limit};
    request.credentials = [this, base = fetch::Url::parse(base_)](const std::string&, const fetch::Url& url) {
        fetch::Headers headers;
        if (url.same_origin(base) && !authorization_.empty())
            headers.push_back({.name = "Authorization", .value = authorization_});
        return headers;
    };
    return request;
}

void Registry::fail_refused(const fetch::Response& response) const
{
    const auto words = told(response.body);
    const auto what = fmt::format("{}: the registry answers {}{}{}", text::printable(response.url), response.status,
                                  words.empty() ? "" : ", ", words);
    if (response.status == 401 || response.status == 403)
        throw Error{Error::Kind::untrusted, what,
                    login_ ? "the user or the password may be wrong"
                           : "configure a login with a dockerAuth file in auth.d, or `docker login`"};
    if (response.status == 404)
        throw Error{Error::Kind::not_found, what, "is the name spelled right, and may you see it?"};
    fail(Error::Kind::system, "{}", what);
}

fetch::Response Registry::get(const fetch::Request& request)
{
    auto response = client_.perform(request);
    if (response.status == 401 && authorize(response))
        response = client_.perform(request);
    if (response.status != 200)
        fail_refused(response);
    return response;
}

// Whether it is worth asking again (OAUTH-1..7).
bool Registry::authorize(const fetch::Response& refused)
{
    if (!fetch::Url::parse(refused.url).same_origin(fetch::Url::parse(base_)))
        return false;
    std::vector<Challenge> challenges;
    for (const auto& header : refused.headers)
        if (header.name == "www-authenticate")
            std::ranges::copy(parse_challenges(header.value), std::back_inserter(challenges));
    for (auto& challenge : challenges)
        if (challenge.scheme == "bearer" && challenge.parameters.contains("realm")) {
            const auto scope = challenge.parameters.contains("scope") ? challenge.parameters["scope"]
                                                                      : "repository:" + name_.path + ":pull";
            authorization_ =
                "Bearer " + token_from(challenge.parameters["realm"], challenge.parameters["service"], scope);
            return true;
        }
    const bool basic = std::ranges::any_of(challenges, [](const auto& each) { return each.scheme == "basic"; });
    if (!basic || !login_)
        return false;
    const auto header = basic_authorization(*login_);
    return std::exchange(authorization_, header) != header;
}

std::string Registry::token_from(const std::string& realm, const std::string& service, const std::string& scope)
{
    const auto server = fetch::Url::parse(realm);
    if (!server.is_secure() && !client_.options().insecure_http)
        fail(Error::Kind::untrusted, "the registry sends us to {} for a token, which is not https",
             text::quoted(realm));
    auto url = server.str();
    char separator = url.find('?') == url.npos ? '?' : '&';
    const auto add = [&](const char* key, const std::string& value) {
        url += separator + fmt::format("{}={}", key, encoded(value));
        separator = '&';
    };
    if (!service.empty())
        add("service", service);
    for (const auto& each : text::split(scope, ' '))
        if (!each.empty())
            add("scope", each);
    fetch::Request request{.url = url, .limit = largest_token};
    if (login_)
        request.credentials = [this, server](const std::string&, const fetch::Url& asked) {
            fetch::Headers headers;
            if (asked.same_origin(server))
                headers.push_back({.name = "Authorization", .value = basic_authorization(*login_)});
            return headers;
        };
    const auto response = client_.perform(request);
    if (response.status != 200)
        fail_refused(response);
    const auto value = model::json::parse(response.body, "token");
    model::json::Fields fields{{value, "token"}};
    auto token = fields.text_or("token", "");
    if (token.empty())
        token = fields.text_or("access_token", "");
    if (token.empty() || std::ranges::any_of(token, [](char c) { return c <= ' ' || c > '~'; }))
        fail(Error::Kind::corrupt, "{} gave no token", text::printable(server.authority()));
    return token;
}

Registry::Named Registry::named()
{
    auto asked = request("manifests/" + name_.reference(), largest_manifest);
    asked.headers = {{.name = "Accept", .value = accepted_manifests()}};
    auto response = get(asked);
    if (name_.digest && !store::matches(*name_.digest, response.body))
        fail(Error::Kind::corrupt, "the manifest has another digest than {}", name_.digest->str());
    return {.document = std::move(response.body), .media_type = without_parameters(response.header("content-type"))};
}

std::string Registry::document(const Descriptor& descriptor, std::uint64_t limit)
{
    const bool is_manifest = kind_of(descriptor.media_type) != MediaKind::config;
    auto asked = request((is_manifest ? "manifests/" : "blobs/") + descriptor.digest.str(), limit);
    if (is_manifest)
        asked.headers = {{.name = "Accept", .value = accepted_manifests()}};
    return get(asked).body;
}

fetch::Request Registry::layer_request(const LayerPlace& place, const Fd& output)
{
    auto asked = request("blobs/" + place.digest->str(), place.size.value_or(largest_layer));
    asked.output = output.get();
    return asked;
}

Bytes Registry::layer(const LayerPlace& place)
{
    const auto file = std::make_shared<Fd>(make_scratch(scratch_));
    auto asked = layer_request(place, *file);
    auto response = client_.perform(asked);
    if (response.status == 401 && authorize(response)) // a token that has expired, for one
        response = client_.perform(asked);
    for (const auto& url : place.urls) { // of what may not be redistributed (OMAN-4)
        if (response.status == 200)
            break;
        response = client_.perform({.url = url, .output = file->get(), .limit = place.size.value_or(largest_layer)});
    }
    if (response.status != 200)
        fail_refused(response);
    return bytes_of(file);
}

void Registry::layers(std::span<const LayerPlace> places, const OnLayer& done)
{
    std::vector<std::shared_ptr<Fd>> files;
    std::vector<fetch::Request> requests;
    for (const auto& place : places) {
        files.push_back(std::make_shared<Fd>(make_scratch(scratch_)));
        requests.push_back(layer_request(place, *files.back()));
    }
    std::vector<std::size_t> again; // one by one, with all that may help
    client_.perform(
        requests,
        [&](std::size_t index, const fetch::Response& response) {
            if (response.status == 200)
                done(index, bytes_of(files[index]));
            else
                again.push_back(index);
        },
        layers_at_once);
    for (const auto index : again)
        done(index, layer(places[index]));
}

} // namespace rocket::oci

// SPDX-License-Identifier: Apache-2.0
#include "stage0/config/kinds.hh"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "common/model/image_name.hh"
#include "common/model/quantity.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/limits.hh"

namespace rocket::config
{

using model::json::Fields;

namespace
{

template <typename... Arg>
[[noreturn]] void refuse(fmt::format_string<Arg...> text, Arg&&... arg)
{
    fail(Error::Kind::corrupt, text, std::forward<Arg>(arg)...);
}

// A member that has to be there and not be empty; `complaint` is what rkt's users know.
std::string needed(Fields& fields, std::string_view name, std::string_view complaint)
{
    auto value = fields.text_or(name, "");
    if (value.empty())
        refuse("{}", complaint);
    return value;
}

std::vector<std::string> needed_list(Fields& fields, std::string_view name, std::string_view complaint)
{
    const auto list = fields.optional(name);
    auto texts = list ? list->texts() : std::vector<std::string>{};
    if (texts.empty())
        refuse("{}", complaint);
    return texts;
}

BasicAuth basic(Fields& credentials)
{
    auto user = needed(credentials, "user", "user not specified");
    return {std::move(user), Secret{needed(credentials, "password", "password not specified")}};
}

Credentials as_basic(Fields& credentials)
{
    return basic(credentials);
}

Credentials as_oauth(Fields& credentials)
{
    return OauthAuth{Secret{needed(credentials, "token", "no oauth bearer token specified")}};
}

Credentials as_aws(Fields& credentials)
{
    auto id = needed(credentials, "accessKeyID", "no AWS Access Key ID specified");
    auto secret = needed(credentials, "secretAccessKey", "no AWS Secret Access Key specified");
    return AwsAuth{std::move(id), Secret{std::move(secret)}, credentials.text_or("awsRegion", "")};
}

struct AuthType {
    std::string_view name;
    Credentials (*read)(Fields& credentials);
};
constexpr std::array auth_types{AuthType{"basic", as_basic}, AuthType{"oauth", as_oauth}, AuthType{"aws", as_aws}};

Fields credentials_of(Fields& file)
{
    const auto credentials = file.optional("credentials");
    if (!credentials)
        refuse("no credentials specified");
    return Fields{*credentials};
}

void add_auth(Fields& file, Config& directory)
{
    const auto domains = needed_list(file, "domains", "no domains specified");
    const auto type_name = needed(file, "type", "no auth type specified");
    const auto type = std::ranges::find(auth_types, type_name, &AuthType::name);
    if (type == auth_types.end())
        refuse("unknown auth type: {}", text::quoted(type_name));
    auto members = credentials_of(file);
    const auto credentials = type->read(members);
    for (const auto& domain : domains)
        if (!directory.auth.emplace(domain, credentials).second)
            refuse("auth for domain {} is already specified", text::quoted(domain));
}

void add_docker_auth(Fields& file, Config& directory)
{
    const auto registries = needed_list(file, "registries", "no registries specified");
    auto members = credentials_of(file);
    const auto credentials = basic(members);
    for (const auto& registry : registries)
        if (!directory.docker_auth.emplace(registry, credentials).second)
            refuse("credentials for docker registry {} are already specified", text::quoted(registry));
}

void add_path(Fields& file, std::string_view member, std::string_view what, std::string& field)
{
    auto path = file.text_or(member, "");
    if (path.empty())
        return;
    if (path.front() != '/')
        refuse("{} must be an absolute path", what);
    if (!field.empty())
        refuse("{} is already specified", what);
    field = std::move(path);
}

void add_paths(Fields& file, Config& directory)
{
    add_path(file, "data", "data directory", directory.paths.data);
    add_path(file, "stage1-images", "stage1 images directory", directory.paths.stage1_images);
}

// "https://x" -> "https"; nullopt if it does not begin with a scheme (RFC 3986, 3.1).
std::optional<std::string> scheme_of(std::string_view url)
{
    const auto colon = url.find(':');
    if (colon == std::string_view::npos || colon == 0 || std::isalpha(static_cast<unsigned char>(url.front())) == 0)
        return std::nullopt;
    std::string scheme;
    for (const char c : url.substr(0, colon)) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) == 0 && c != '+' && c != '-' && c != '.')
            return std::nullopt;
        scheme += static_cast<char>(std::tolower(byte));
    }
    return scheme;
}

void check_location(std::string_view location)
{
    if (location.empty() || location.front() == '/')
        return;
    const auto scheme = scheme_of(location);
    if (!scheme)
        refuse("invalid stage1 configuration: default stage1 image location is either a relative path or a URL "
               "without scheme");
    constexpr std::array<std::string_view, 4> allowed{"docker", "file", "http", "https"};
    if (std::ranges::find(allowed, *scheme) == allowed.end())
        refuse("invalid stage1 configuration: default stage1 image location URL has invalid scheme {}, allowed "
               "schemes are \"docker\", \"file\", \"http\", \"https\"",
               text::quoted(*scheme));
}

void add_stage1(Fields& file, Config& directory)
{
    auto name = file.text_or("name", "");
    auto version = file.text_or("version", "");
    auto location = file.text_or("location", "");
    if (name.empty() && !version.empty())
        refuse("invalid stage1 configuration: default stage1 image version specified, but name is missing");
    if (!name.empty() && version.empty())
        refuse("invalid stage1 configuration: default stage1 image name specified, but version is missing");
    check_location(location);

    auto& stage1 = directory.stage1;
    if (!name.empty()) {
        if (!stage1.name.empty())
            refuse("name and version of a default stage1 image are already specified");
        stage1.name = std::move(name);
        stage1.version = std::move(version);
    }
    if (!location.empty()) {
        if (!stage1.location.empty())
            refuse("location of a default stage1 image is already specified");
        stage1.location = std::move(location);
    }
}

constexpr std::uint64_t most_seconds = 100ULL * 365 * 86400;

// A whole number, or a string such as "64Gi".
std::uint64_t amount(const model::json::Cursor& cursor)
{
    if (cursor.value().string() != nullptr)
        return static_cast<std::uint64_t>(cursor.as<model::Quantity>().ceil_units());
    return static_cast<std::uint64_t>(cursor.integer(0, INT64_MAX));
}

void add_amount(Fields& members, std::string_view name, std::optional<std::uint64_t>& field)
{
    const auto member = members.optional(name);
    if (!member)
        return;
    if (field)
        refuse("{} is already specified", name);
    field = amount(*member);
}

void add_limits(const model::json::Cursor& object, std::map<std::string, std::uint64_t>& limits)
{
    Fields{object}; // it has to be one
    for (const auto& [name, value] : *object.value().object()) {
        if (std::ranges::find(unpack::limit_names, name, &unpack::LimitName::name) == unpack::limit_names.end())
            refuse("unknown limit {}", text::quoted(name)); // a misspelt one would not protect anybody
        const auto number = amount({value, fmt::format("{}.{}", object.place(), name)});
        if (!limits.emplace(name, number).second)
            refuse("limit {} is already specified", text::quoted(name));
    }
}

void add_images(Fields& file, Config& directory)
{
    auto& images = directory.images;
    if (const auto limits = file.optional("limits"))
        add_limits(*limits, images.limits);
    if (const auto collection = file.optional("gc")) {
        Fields members{*collection};
        add_amount(members, "graceSeconds", images.grace_seconds);
        if (images.grace_seconds.value_or(0) > most_seconds)
            refuse("graceSeconds is more than {}", most_seconds);
        add_amount(members, "maxSize", images.largest_store);
    }
    const auto kept = file.optional("keep");
    if (!kept)
        return;
    if (images.kept_by_name)
        refuse("images to keep are already specified");
    images.kept_by_name = kept->texts();
    for (const auto& name : *images.kept_by_name)
        model::ImageName::parse(name);
}

// HOST[:PORT][/PATH]
void check_repository(const std::string& text)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/[]";
    const bool has_empty_part = text.starts_with('/') || text.ends_with('/') || text.find("//") != text.npos;
    if (text.empty() || has_empty_part || text.find_first_not_of(allowed) != text.npos)
        refuse("{} is not HOST[:PORT][/PATH]", text::quoted(text));
}

std::optional<bool> flag(Fields& file, std::string_view name)
{
    const auto member = file.optional(name);
    return member ? std::optional{member->boolean()} : std::nullopt;
}

void add_registry(Fields& file, Config& directory)
{
    Registry registry{.mirrors = {},
                      .mirror_tags = flag(file, "mirrorTags"),
                      .signatures = file.text_or("signatures", ""),
                      .are_unsigned_taken = flag(file, "unsigned")};
    if (const auto mirrors = file.optional("mirrors"))
        registry.mirrors = mirrors->texts();
    for (const auto& mirror : registry.mirrors)
        check_repository(mirror);
    const auto& place = registry.signatures;
    if (!place.empty() && place.front() != '/' && scheme_of(place) != "https")
        refuse("signatures have to be at an https URL or in a directory with an absolute path");
    for (const auto& prefix : needed_list(file, "prefixes", "no prefixes specified")) {
        check_repository(prefix);
        if (!directory.registries.emplace(prefix, registry).second)
            refuse("registry {} is already specified", text::quoted(prefix));
    }
}

constexpr std::array kinds{
    KindOfFile{"auth", "v1", add_auth},         KindOfFile{"dockerAuth", "v1", add_docker_auth},
    KindOfFile{"images", "v1", add_images},     KindOfFile{"paths", "v1", add_paths},
    KindOfFile{"registry", "v1", add_registry}, KindOfFile{"stage1", "v1", add_stage1},
};

} // namespace

std::span<const KindOfFile> known_kinds()
{
    return kinds;
}

} // namespace rocket::config

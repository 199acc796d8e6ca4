// SPDX-License-Identifier: Apache-2.0
// The merged configuration as JSON, one entry per item (cli 8.14), sorted (Q19).
#include "common/model/json.hh"
#include "stage0/config/config.hh"

namespace rocket::config
{

namespace json = model::json;

namespace
{

json::Value shown(const Secret& secret, Secrets secrets)
{
    return secrets == Secrets::shown ? secret.reveal() : std::string{"<hidden>"};
}

json::Object basic(const BasicAuth& auth, Secrets secrets)
{
    return {{"user", auth.user}, {"password", shown(auth.password, secrets)}};
}

struct TypeAndCredentials {
    const char* type;
    json::Object credentials;
};

struct Describe {
    Secrets secrets;

    TypeAndCredentials operator()(const BasicAuth& auth) const { return {"basic", basic(auth, secrets)}; }
    TypeAndCredentials operator()(const OauthAuth& auth) const
    {
        return {"oauth", {{"token", shown(auth.token, secrets)}}};
    }
    TypeAndCredentials operator()(const AwsAuth& auth) const
    {
        return {"aws",
                {{"accessKeyID", auth.access_key_id},
                 {"secretAccessKey", shown(auth.secret_access_key, secrets)},
                 {"awsRegion", auth.region}}};
    }
};

json::Object entry(const char* kind)
{
    return {{"rktVersion", "v1"}, {"rktKind", kind}};
}

json::Value auth_entry(const std::string& domain, const Credentials& auth, Secrets secrets)
{
    auto [type, credentials] = std::visit(Describe{secrets}, auth);
    auto object = entry("auth");
    object.push_back({"domains", json::Array{domain}});
    object.push_back({"type", type});
    object.push_back({"credentials", std::move(credentials)});
    return object;
}

json::Value docker_auth_entry(const std::string& registry, const BasicAuth& auth, Secrets secrets)
{
    auto object = entry("dockerAuth");
    object.push_back({"registries", json::Array{registry}});
    object.push_back({"credentials", basic(auth, secrets)});
    return object;
}

json::Value paths_entry(const Paths& paths)
{
    auto object = entry("paths");
    object.push_back({"data", paths.data});
    object.push_back({"stage1-images", paths.stage1_images});
    return object;
}

json::Value stage1_entry(const Stage1& stage1)
{
    auto object = entry("stage1");
    object.push_back({"name", stage1.name});
    object.push_back({"version", stage1.version});
    object.push_back({"location", stage1.location});
    return object;
}

json::Value images_entry(const Images& images)
{
    json::Object limits;
    for (const auto& [name, number] : images.limits)
        limits.push_back({name, number});
    json::Object collection;
    if (images.grace_seconds)
        collection.push_back({"graceSeconds", *images.grace_seconds});
    if (images.largest_store)
        collection.push_back({"maxSize", *images.largest_store});
    auto object = entry("images");
    object.push_back({"limits", std::move(limits)});
    object.push_back({"gc", std::move(collection)});
    if (images.kept_by_name)
        object.push_back({"keep", json::Array{images.kept_by_name->begin(), images.kept_by_name->end()}});
    return object;
}

json::Value registry_entry(const std::string& prefix, const Registry& registry)
{
    auto object = entry("registry");
    object.push_back({"prefixes", json::Array{prefix}});
    if (!registry.mirrors.empty())
        object.push_back({"mirrors", json::Array{registry.mirrors.begin(), registry.mirrors.end()}});
    if (registry.mirror_tags)
        object.push_back({"mirrorTags", *registry.mirror_tags});
    if (!registry.signatures.empty())
        object.push_back({"signatures", registry.signatures});
    if (registry.are_unsigned_taken)
        object.push_back({"unsigned", *registry.are_unsigned_taken});
    return object;
}

} // namespace

std::string to_json(const Config& config, Secrets secrets, bool pretty)
{
    json::Array entries;
    for (const auto& [domain, credentials] : config.auth)
        entries.push_back(auth_entry(domain, credentials, secrets));
    for (const auto& [registry, credentials] : config.docker_auth)
        entries.push_back(docker_auth_entry(registry, credentials, secrets));
    if (config.images != Images{}) // not one of rkt's
        entries.push_back(images_entry(config.images));
    entries.push_back(paths_entry(config.paths));
    for (const auto& [prefix, registry] : config.registries) // nor this
        entries.push_back(registry_entry(prefix, registry));
    entries.push_back(stage1_entry(config.stage1));
    const json::Value document = json::Object{{"stage0", std::move(entries)}};
    return json::write(document, pretty ? json::Style::tabs : json::Style::compact);
}

} // namespace rocket::config

// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/login.hh"

#include <cstdlib>
#include <vector>

#include "common/model/json.hh"
#include "common/sys/base64.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::oci
{

namespace
{

constexpr std::string_view token_user = "<token>"; // stands where a user would, beside an identity token
constexpr std::size_t largest_file = std::size_t{1} << 20;

std::string variable(const char* name)
{
    const char* value = ::getenv(name);
    return value == nullptr ? "" : value;
}

std::vector<std::string> login_files()
{
    std::vector<std::string> files;
    const auto add = [&](const std::string& base, const char* rest) {
        if (base.starts_with('/'))
            files.push_back(base + rest);
    };
    add(variable("REGISTRY_AUTH_FILE"), "");
    add(variable("XDG_RUNTIME_DIR"), "/containers/auth.json");
    add(variable("HOME"), "/.config/containers/auth.json");
    add(variable("DOCKER_CONFIG"), "/config.json");
    add(variable("HOME"), "/.docker/config.json");
    return files;
}

} // namespace

std::string registry_host(std::string key)
{
    for (const std::string_view scheme : {"https://", "http://"})
        if (key.starts_with(scheme))
            key.erase(0, scheme.size());
    key = key.substr(0, key.find('/'));
    return key == "index.docker.io" || key == "docker.io" ? "registry-1.docker.io" : key;
}

std::optional<Login> login_in(std::string_view file_content, const std::string& host)
{
    const auto value = model::json::parse(file_content, "login file", {.size = largest_file});
    const auto* logins = value.find("auths");
    if (logins == nullptr || logins->object() == nullptr)
        return std::nullopt;
    for (const auto& [key, entry] : *logins->object()) {
        if (registry_host(key) != registry_host(host))
            continue;
        Login login;
        const auto* token = entry.find("identitytoken");
        if (token != nullptr && token->string() != nullptr && !token->string()->empty())
            login.identity_token = config::Secret{*token->string()};
        const auto* auth = entry.find("auth");
        const auto pair =
            auth != nullptr && auth->string() != nullptr ? text::decode_base64(*auth->string()) : std::nullopt;
        const auto colon = pair ? pair->find(':') : std::string::npos;
        const bool is_password = colon != std::string::npos && colon > 0 && pair->substr(0, colon) != token_user;
        if (is_password)
            login.password = {.user = pair->substr(0, colon), .password = config::Secret{pair->substr(colon + 1)}};
        if (login.password || login.identity_token)
            return login;
    }
    return std::nullopt;
}

std::optional<Login> find_login(const std::string& host)
{
    for (const auto& path : login_files()) {
        try {
            const auto content = file::read_if_exists(AT_FDCWD, path, largest_file);
            if (auto login = content ? login_in(*content, host) : std::nullopt)
                return login;
        } catch (const Error&) { // it is not ours, and there may be another
        }
    }
    return std::nullopt;
}

std::string basic_authorization(const config::BasicAuth& login)
{
    return "Basic " + text::encode_base64(login.user + ":" + login.password.reveal());
}

} // namespace rocket::oci

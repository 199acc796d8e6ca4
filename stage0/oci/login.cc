// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/login.hh"

#include <openssl/evp.h>

#include <cstdlib>
#include <vector>

#include "common/model/json.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::oci
{

namespace
{

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

// https://host/v1/ and the like are keys as well; the Hub has one of its own.
std::string host_of(std::string key)
{
    for (const std::string_view scheme : {"https://", "http://"})
        if (key.starts_with(scheme))
            key.erase(0, scheme.size());
    key = key.substr(0, key.find('/'));
    return key == "index.docker.io" || key == "docker.io" ? "registry-1.docker.io" : key;
}

std::optional<std::string> decoded(const std::string& base64)
{
    std::string text(base64.size(), '\0');
    const int size =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                          reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
    if (size < 0)
        return std::nullopt;
    const auto padding = base64.ends_with("==") ? 2U : base64.ends_with("=") ? 1U : 0U;
    text.resize(static_cast<std::size_t>(size) - padding);
    return text;
}

} // namespace

std::optional<config::BasicAuth> login_in(std::string_view file_content, const std::string& host)
{
    const auto value = model::json::parse(file_content, "login file", {.size = largest_file});
    const auto* logins = value.find("auths");
    if (logins == nullptr || logins->object() == nullptr)
        return std::nullopt;
    for (const auto& [key, login] : *logins->object()) {
        const auto* auth = host_of(key) == host_of(host) ? login.find("auth") : nullptr;
        const auto pair = auth != nullptr && auth->string() != nullptr ? decoded(*auth->string()) : std::nullopt;
        const auto colon = pair ? pair->find(':') : std::string::npos;
        if (colon != std::string::npos && colon > 0)
            return config::BasicAuth{.user = pair->substr(0, colon),
                                     .password = config::Secret{pair->substr(colon + 1)}};
    }
    return std::nullopt;
}

std::optional<config::BasicAuth> find_login(const std::string& host)
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
    const auto plain = login.user + ":" + login.password.reveal();
    std::string encoded((plain.size() + 2) / 3 * 4 + 1, '\0'); // with the NUL that libcrypto writes
    const int size =
        ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                          reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return "Basic " + encoded;
}

} // namespace rocket::oci

// SPDX-License-Identifier: Apache-2.0
// The configuration: what the .json files below the system, local and user directories say, merged (cli 3.1-3.5,
// rocket(1)). Defaults are not filled in: where the files are silent a field is empty. Errors: Kind::corrupt or system,
// always with the name of the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stage0/config/secret.hh"

namespace rocket::config
{

// Absolute paths, later ones win. Any of them may be missing; an empty one is skipped.
struct Directories {
    std::string system;
    std::string local;
    std::string user;
};

struct BasicAuth {
    std::string user;
    Secret password;
    bool operator==(const BasicAuth&) const = default;
};
struct OauthAuth {
    Secret token;
    bool operator==(const OauthAuth&) const = default;
};
struct AwsAuth {
    std::string access_key_id;
    Secret secret_access_key;
    std::string region; // empty: to be guessed from the host
    bool operator==(const AwsAuth&) const = default;
};
using Credentials = std::variant<BasicAuth, OauthAuth, AwsAuth>;

struct Paths {
    std::string data;          // absolute or empty
    std::string stage1_images; // absolute or empty
    bool operator==(const Paths&) const = default;
};

struct Stage1 {
    std::string name; // with version, or both empty
    std::string version;
    std::string location; // absolute path or URL, or empty
    bool operator==(const Stage1&) const = default;
};

// How images are let in and how long they are kept.
struct Images {
    std::map<std::string, std::uint64_t> limits;          // of one archive, by the names in stage0/unpack/limits.hh
    std::optional<std::uint64_t> grace_seconds;           // `image gc`: since the last use
    std::optional<std::uint64_t> largest_store;           // `image gc`: bytes
    std::optional<std::vector<std::string>> kept_by_name; // never collected; image names, valid
    bool operator==(const Images&) const = default;
};

// How a registry, or a part of it, is dealt with. What is empty is left to shorter prefixes.
struct Registry {
    std::vector<std::string> mirrors;       // HOST[:PORT][/PATH], the first to be asked first
    std::optional<bool> mirror_tags;        // whether they may say what a tag means
    std::string signatures;                 // https URL or absolute path of a directory of simple signatures
    std::optional<bool> are_unsigned_taken; // without any
    bool operator==(const Registry&) const = default;
};

struct Config {
    std::map<std::string, Credentials> auth;      // by URL authority: host or host:port
    std::map<std::string, BasicAuth> docker_auth; // by registry host
    std::map<std::string, Registry> registries;   // by prefix of repositories: HOST[:PORT][/PATH]
    Paths paths;
    Stage1 stage1;
    Images images;
    bool operator==(const Config&) const = default;
};

Config load(const Directories& directories);

// {"stage0": [...]} as cli 8.14 has it; each entry is a valid configuration file. Secrets are replaced by "<hidden>"
// unless asked for (Q59).
enum class Secrets { hidden, shown };
std::string to_json(const Config& config, Secrets secrets, bool pretty);

} // namespace rocket::config

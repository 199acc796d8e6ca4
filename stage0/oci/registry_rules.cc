// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/registry_rules.hh"

#include <algorithm>
#include <optional>

namespace rocket::oci
{

namespace
{

struct Match {
    std::string rest; // of the repository behind the prefix, without the slash
    const config::Registry* registry;
};

std::optional<std::string> behind(const std::string& prefix, const std::string& repository)
{
    if (repository == prefix)
        return "";
    if (repository.starts_with(prefix) && repository[prefix.size()] == '/')
        return repository.substr(prefix.size() + 1);
    return std::nullopt;
}

Rules::Mirror mirror_of(const std::string& mirror, const std::string& rest)
{
    const auto slash = mirror.find('/');
    auto repository = slash == mirror.npos ? "" : mirror.substr(slash + 1);
    if (!repository.empty() && !rest.empty())
        repository += '/';
    return {.host = mirror.substr(0, slash), .repository = repository + rest};
}

} // namespace

Rules rules_for(const std::map<std::string, config::Registry>& registries, const DockerName& name)
{
    std::vector<Match> matches;
    for (const auto& [prefix, registry] : registries)
        for (const auto& host : {name.domain, name.api_host()}) // of the Hub, both are written
            if (auto rest = behind(prefix, host + "/" + name.path))
                matches.push_back({std::move(*rest), &registry});
    std::ranges::stable_sort(matches, {}, [](const Match& match) { return match.rest.size(); });

    Rules rules;
    std::optional<bool> tags;
    std::optional<bool> are_unsigned_taken;
    for (const auto& [rest, registry] : matches) {
        if (rules.mirrors.empty())
            for (const auto& mirror : registry->mirrors)
                if (auto place = mirror_of(mirror, rest); !place.repository.empty())
                    rules.mirrors.push_back(std::move(place));
        if (rules.signatures.empty())
            rules.signatures = registry->signatures;
        tags = tags ? tags : registry->mirror_tags;
        are_unsigned_taken = are_unsigned_taken ? are_unsigned_taken : registry->are_unsigned_taken;
    }
    rules.mirror_tags = tags.value_or(false);
    rules.are_unsigned_taken = are_unsigned_taken.value_or(false);
    return rules;
}

void apply(const Policy& policy, const DockerName& name, Rules& rules)
{
    auto demands = policy.of_docker(name);
    refuse_rejected(demands, "docker://" + name.str());
    const bool is_taken = rules.are_unsigned_taken || demands.is_anything_taken;
    rules.are_unsigned_taken = is_taken && demands.signatures.empty();
    rules.signed_by = std::move(demands.signatures);
}

} // namespace rocket::oci

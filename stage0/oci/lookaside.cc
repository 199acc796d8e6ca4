// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/lookaside.hh"

#include <yaml-cpp/yaml.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

std::string place_in(const std::string& file, const YAML::Mark& mark)
{
    return mark.is_null() ? file : fmt::format("{}:{}", file, mark.line + 1);
}

void demand_map(const YAML::Node& node, std::string_view what, const std::string& file)
{
    if (!node.IsMap())
        fail(Error::Kind::corrupt, "{}: {} must be a mapping", place_in(file, node.Mark()), what);
}

std::string text_of(const YAML::Node& node, std::string_view what, const std::string& file)
{
    if (!node.IsScalar())
        fail(Error::Kind::corrupt, "{}: {} must be a text", place_in(file, node.Mark()), what);
    return node.Scalar();
}

// Of one scope; the old name counts where the new one is not there.
std::string url_in(const YAML::Node& scope, const std::string& file)
{
    for (const char* name : {"lookaside", "sigstore"})
        if (const auto url = scope[name])
            if (auto text = text_of(url, name, file); !text.empty())
                return text;
    return {};
}

YAML::Node load(std::string_view yaml, const std::string& file)
{
    try {
        return YAML::Load(std::string{yaml});
    } catch (const YAML::Exception& error) {
        fail(Error::Kind::corrupt, "{}: this is not YAML: {}", place_in(file, error.mark), text::printable(error.msg));
    }
}

} // namespace

void Lookaside::add(std::string_view yaml, const std::string& file)
{
    const auto top = load(yaml, file);
    if (top.IsNull()) // nothing but comments
        return;
    const auto put = [&](const std::string& scope, const YAML::Node& node) {
        const auto what = scope.empty() ? std::string{"default-docker"} : text::quoted(scope);
        demand_map(node, what, file);
        const auto where = place_in(file, node.Mark());
        const auto [at, is_new] = scopes_.try_emplace(scope, Place{.url = url_in(node, file), .where = where});
        if (!is_new)
            fail(Error::Kind::corrupt, "{}: {} is already at {}", where, what, at->second.where);
    };
    demand_map(top, "the file", file);
    if (const auto node = top["default-docker"])
        put("", node);
    const auto docker = top["docker"];
    if (!docker || docker.IsNull())
        return;
    demand_map(docker, "docker", file);
    for (const auto& scope : docker) {
        const auto name = text_of(scope.first, "a scope of docker", file);
        if (name.empty())
            fail(Error::Kind::corrupt, "{}: a scope of docker has no name", place_in(file, scope.first.Mark()));
        put(name, scope.second);
    }
}

std::string Lookaside::place_of(const DockerName& name) const
{
    std::string scope = name.str();
    auto repository = name.domain + "/" + name.path;
    for (;;) {
        const auto found = scopes_.find(scope);
        if (found != scopes_.end() && !found->second.url.empty()) {
            const auto& [url, where] = found->second;
            if (url.starts_with("https://"))
                return url;
            if (url.starts_with("file:///"))
                return url.substr(std::string_view{"file://"}.size());
            throw Error{Error::Kind::unsupported,
                        fmt::format("{}: signatures are looked for at {}, and only https:// and file:/// are possible",
                                    where, text::quoted(url)),
                        "a file in registries.d of Rocket's configuration may say another place"};
        }
        if (scope.empty())
            return {};
        scope = repository;
        const auto slash = repository.rfind('/');
        repository = slash == repository.npos ? "" : repository.substr(0, slash);
    }
}

} // namespace rocket::oci

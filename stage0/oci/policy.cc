// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/policy.hh"

#include <algorithm>
#include <array>

#include "common/model/json_object.hh"
#include "common/sys/base64.hh"
#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

namespace json = model::json;
using json::Cursor;
using json::Fields;
using Match = Identity::Match;

constexpr std::array known_transports{"docker", "oci", "oci-archive", "docker-archive"};

// A member that is misspelt would demand nothing.
void check_members(const Cursor& object, std::initializer_list<std::string_view> names)
{
    const auto* members = object.value().object();
    if (members == nullptr)
        object.fail(" must be an object");
    for (const auto& [name, value] : *members)
        if (std::ranges::find(names, name) == names.end())
            object.fail(fmt::format(" has the member {}, which is unknown", text::quoted(name)));
}

struct KindOfIdentity {
    std::string_view name;
    Match match;
    std::string_view reference; // the member with a name in it, if it has one
};
constexpr std::array kinds_of_identity{
    KindOfIdentity{"matchExact", Match::exact, ""},
    KindOfIdentity{"matchRepoDigestOrExact", Match::repository_and_tag, ""},
    KindOfIdentity{"matchRepository", Match::repository, ""},
    KindOfIdentity{"exactReference", Match::exact_reference, "dockerReference"},
    KindOfIdentity{"exactRepository", Match::exact_repository, "dockerRepository"},
    KindOfIdentity{"remapIdentity", Match::repository_and_tag, ""},
};

Identity parse_identity(const Cursor& cursor)
{
    Fields fields{cursor};
    const auto type = fields.required("type");
    const auto name = type.text();
    const auto kind = std::ranges::find(kinds_of_identity, name, &KindOfIdentity::name);
    if (kind == kinds_of_identity.end())
        type.fail(fmt::format(" is {}, which is no type of identity that is known", text::quoted(name)));
    Identity identity{.match = kind->match};
    if (name == "remapIdentity") {
        check_members(cursor, {"type", "prefix", "signedPrefix"});
        identity.prefix = fields.required_text("prefix").text();
        identity.signed_prefix = fields.required_text("signedPrefix").text();
    } else if (kind->reference.empty()) {
        check_members(cursor, {"type"});
    } else {
        check_members(cursor, {"type", kind->reference});
        const auto reference = fields.required_text(kind->reference);
        identity.name = reference.text();
        reference.at_place([&] { return DockerName::parse(identity.name); });
    }
    return identity;
}

void check_key_path(const Cursor& cursor)
{
    if (!cursor.text().starts_with('/'))
        cursor.fail(" must be an absolute path");
}

SignedBy parse_signed_by(const Cursor& cursor)
{
    check_members(cursor, {"type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"});
    Fields fields{cursor};
    const auto key_type = fields.required("keyType");
    if (key_type.text() != "GPGKeys")
        key_type.fail(fmt::format(" is {}, and GPGKeys is all that is known", text::quoted(key_type.text())));
    SignedBy demand;
    int sources = 0;
    if (const auto path = fields.optional("keyPath")) {
        sources += 1;
        check_key_path(*path);
        demand.key_paths.push_back(path->text());
    }
    if (const auto paths = fields.optional("keyPaths")) {
        sources += 1;
        for (const auto& path : paths->items()) {
            check_key_path(path);
            demand.key_paths.push_back(path.text());
        }
    }
    if (const auto data = fields.optional("keyData")) {
        sources += 1;
        auto decoded = text::decode_base64(data->text());
        if (!decoded)
            data->fail(" is not base64");
        demand.key_data = std::move(*decoded);
    }
    if (sources != 1 || (demand.key_paths.empty() && demand.key_data.empty()))
        cursor.fail(" must have one of keyPath, keyPaths and keyData");
    if (const auto identity = fields.optional("signedIdentity"))
        demand.identity = parse_identity(*identity);
    return demand;
}

Demands parse_demands(const Cursor& cursor)
{
    Demands demands{.scope = cursor.place()};
    const auto items = cursor.items();
    if (items.empty())
        cursor.fail(" must have at least one requirement");
    for (const auto& item : items) {
        const auto type = Fields{item}.required("type");
        const auto name = type.text();
        if (name == "signedBy") {
            demands.signatures.push_back(parse_signed_by(item));
            continue;
        }
        if (name != "reject" && name != "insecureAcceptAnything")
            type.fail(fmt::format(" is {}, which is no type of requirement that is known", text::quoted(name)));
        check_members(item, {"type"});
        (name == "reject" ? demands.is_rejected : demands.is_anything_taken) = true;
    }
    return demands;
}

Cursor member(const Cursor& parent, const std::string& name, const json::Value& value)
{
    return {value, fmt::format("{}[{}]", parent.place(), text::quoted(name))};
}

} // namespace

Policy Policy::parse(std::string_view text, const std::string& file)
{
    const auto value = json::parse(text, file);
    const Cursor top{value, file + ": policy"};
    check_members(top, {"default", "transports"});
    Fields fields{top};
    Policy policy;
    policy.default_ = parse_demands(fields.required("default"));
    policy.default_.is_anything_taken = false;
    const auto transports = fields.optional("transports");
    if (!transports)
        return policy;
    Fields{*transports}; // it has to be an object
    for (const auto& [transport, scopes] : *transports->value().object()) {
        if (std::ranges::find(known_transports, transport) == known_transports.end())
            continue; // no images of ours come that way
        const auto place = member(*transports, transport, scopes);
        Fields{place};
        for (const auto& [scope, demands] : *scopes.object()) {
            auto parsed = parse_demands(member(place, scope, demands));
            parsed.is_anything_taken = parsed.is_anything_taken && !scope.empty();
            policy.transports_[transport][scope] = std::move(parsed);
        }
    }
    return policy;
}

Demands Policy::find(std::string_view transport, const std::vector<std::string>& scopes) const
{
    const auto known = transports_.find(transport);
    if (known == transports_.end())
        return default_;
    for (const auto& scope : scopes)
        if (const auto found = known->second.find(scope); found != known->second.end())
            return found->second;
    const auto whole = known->second.find("");
    return whole != known->second.end() ? whole->second : default_;
}

Demands Policy::of_docker(const DockerName& name) const
{
    std::vector<std::string> scopes{name.str()};
    for (auto repository = name.domain + "/" + name.path;; repository.erase(repository.rfind('/'))) {
        scopes.push_back(repository);
        if (repository.find('/') == repository.npos)
            break;
    }
    for (auto dot = name.domain.find('.'); dot != name.domain.npos; dot = name.domain.find('.', dot + 1))
        scopes.push_back("*" + name.domain.substr(dot));
    return find("docker", scopes);
}

Demands Policy::of_file(std::string_view transport, const std::string& path) const
{
    std::vector<std::string> scopes;
    for (auto scope = path; !scope.empty(); scope.erase(scope.rfind('/')))
        scopes.push_back(scope);
    return find(transport, scopes);
}

void refuse_rejected(const Demands& demands, std::string_view image)
{
    if (demands.is_rejected)
        throw Error{Error::Kind::untrusted, fmt::format("{} is rejected by {}", text::quoted(image), demands.scope),
                    "whoever administers this host has forbidden such images, whatever the options"};
}

} // namespace rocket::oci

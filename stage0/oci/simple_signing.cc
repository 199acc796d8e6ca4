// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/simple_signing.hh"

#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

constexpr std::string_view type = "atomic container signature";
constexpr auto ask_for_another = "ask for a signature of this image under this name";

using model::json::Cursor;

// Exactly these members: a critical part that nobody understands makes the whole worthless.
void check_members(const Cursor& object, std::initializer_list<std::string_view> names)
{
    const auto* members = object.value().object();
    if (members == nullptr)
        object.fail(" is not an object");
    for (const auto& [name, value] : *members)
        if (std::ranges::find(names, name) == names.end())
            object.fail(fmt::format(" has the member {}, which is unknown", text::quoted(name)));
}

Claim claim_in(std::string_view payload)
{
    const auto value = model::json::parse(payload, "signature");
    const Cursor top{value, "signature"};
    check_members(top, {"critical", "optional"});
    model::json::Fields fields{top};
    const auto critical = fields.required("critical");
    check_members(critical, {"type", "image", "identity"});
    model::json::Fields parts{critical};
    if (parts.required("type").text() != type)
        critical.fail(fmt::format(".type is not {}", text::quoted(type)));
    const auto image = parts.required("image");
    const auto identity = parts.required("identity");
    check_members(image, {"docker-manifest-digest"});
    check_members(identity, {"docker-reference"});
    return {.reference = model::json::Fields{identity}.required("docker-reference").text(),
            .manifest =
                store::ContentDigest::parse(model::json::Fields{image}.required("docker-manifest-digest").text())};
}

bool is_same_repository(const DockerName& a, const DockerName& b)
{
    return a.domain == b.domain && a.path == b.path;
}

// The name under which a mirrored image was signed.
DockerName remapped(const DockerName& wanted, const Identity& identity)
{
    const auto name = wanted.str();
    const auto& prefix = identity.prefix;
    const bool is_whole =
        name.size() > prefix.size() && std::string_view{"/:@"}.find(name[prefix.size()]) != std::string_view::npos;
    if (prefix.empty() || !name.starts_with(prefix) || !is_whole)
        return wanted;
    return DockerName::parse(identity.signed_prefix + name.substr(prefix.size()));
}

bool fits(const DockerName& signed_name, const DockerName& asked, const Identity& identity)
{
    const auto wanted = remapped(asked, identity);
    switch (identity.match) {
    case Identity::Match::exact:
        return signed_name == wanted;
    case Identity::Match::repository_and_tag:
        return is_same_repository(signed_name, wanted) && (wanted.digest || signed_name.tag == wanted.tag);
    case Identity::Match::repository:
        return is_same_repository(signed_name, wanted);
    case Identity::Match::exact_reference:
        return signed_name == DockerName::parse(identity.name);
    case Identity::Match::exact_repository:
        return is_same_repository(signed_name, DockerName::parse(identity.name));
    }
    return false;
}

} // namespace

Claim Claim::parse(std::string_view payload)
{
    try {
        return claim_in(payload);
    } catch (const Error& error) {
        throw Error{Error::Kind::untrusted, "what was signed is no image: " + error.innermost(), ask_for_another};
    }
}

void check_claim(const Claim& claim, const DockerName& wanted, const store::ContentDigest& manifest,
                 const Identity& identity)
{
    if (claim.manifest != manifest)
        throw Error{
            Error::Kind::untrusted,
            fmt::format("the signature is of manifest {}, but this is {}", claim.manifest.str(), manifest.str()),
            "the image has changed since it was signed, or somebody has changed it"};
    const auto refuse = [&] {
        throw Error{Error::Kind::untrusted,
                    fmt::format("the signature is for {}, but {} was asked for", text::quoted(claim.reference),
                                text::quoted(wanted.str())),
                    ask_for_another};
    };
    try {
        if (!fits(DockerName::parse(claim.reference), wanted, identity))
            refuse();
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::untrusted)
            throw;
        refuse(); // it is no name at all
    }
}

std::string signature_path(const DockerName& name, const store::ContentDigest& manifest, unsigned number)
{
    return fmt::format("{}@{}={}/signature-{}", name.path, manifest.algorithm(), manifest.hex(), number);
}

} // namespace rocket::oci

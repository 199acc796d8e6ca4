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

} // namespace

Claim Claim::parse(std::string_view payload)
{
    try {
        return claim_in(payload);
    } catch (const Error& error) {
        throw Error{Error::Kind::untrusted, "what was signed is no image: " + error.innermost(), ask_for_another};
    }
}

void check_claim(const Claim& claim, const DockerName& wanted, const store::ContentDigest& manifest)
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
        const auto signed_name = DockerName::parse(claim.reference);
        const bool is_same = signed_name.domain == wanted.domain && signed_name.path == wanted.path;
        if (!is_same || (!wanted.digest && signed_name.tag != wanted.tag))
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

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/docker_signature.hh"

#include <fcntl.h>

#include <algorithm>

#include "common/sys/file.hh"
#include "common/sys/text.hh"
#include "stage0/oci/simple_signing.hh"

namespace rocket::image
{

namespace
{

constexpr unsigned most_signatures = 16; // of one manifest

// nullopt: there is none of that number.
std::optional<std::string> signature_at(Session& session, const std::string& place, const std::string& path)
{
    if (place.starts_with('/'))
        return file::read_if_exists(AT_FDCWD, place + "/" + path, largest_signature);
    const auto slash = place.ends_with('/') ? "" : "/";
    auto request = session.request(fetch::Url::parse(place + slash + path), "signature");
    request.limit = largest_signature;
    auto response = session.network().client.perform(request);
    if (response.status == 404)
        return std::nullopt;
    if (response.status != 200)
        fetch::fail_status(response);
    return std::move(response.body);
}

std::vector<std::string> key_files_of(const oci::SignedBy& demand)
{
    constexpr std::size_t largest_key = std::size_t{256} << 10; // R12
    if (!demand.key_data.empty())
        return {demand.key_data};
    std::vector<std::string> files;
    for (const auto& path : demand.key_paths)
        files.push_back(
            with_context("reading a key of the policy", [&] { return file::read(AT_FDCWD, path, largest_key); }));
    return files;
}

// One signature that satisfies: the policy's demand, or if there is none, the keystore.
DockerGrounds find_signature(Session& session, const oci::DockerName& name, const SignaturePlace& place,
                             const std::vector<store::ContentDigest>& manifests, const oci::SignedBy* demand)
{
    const auto image_name = model::AcIdentifier::sanitized(name.repository());
    const auto keys = demand != nullptr ? key_files_of(*demand) : std::vector<std::string>{};
    std::optional<Error> refusal;
    for (const auto& manifest : manifests)
        for (unsigned number = 1; number <= most_signatures; ++number) {
            auto signature = place.find(manifest, number);
            if (!signature)
                break;
            try {
                const auto opened = demand != nullptr ? session.open_message(image_name, *signature, keys)
                                                      : session.open_message(image_name, *signature);
                oci::check_claim(oci::Claim::parse(opened.payload), name, manifest,
                                 demand != nullptr ? demand->identity : oci::Identity{});
                session.tell_signer(opened.signer);
                return {opened.signer.fingerprint, {std::move(*signature)}};
            } catch (const Error& error) {
                if (error.kind() != Error::Kind::untrusted)
                    throw;
                refusal = error;
            }
        }
    if (refusal)
        throw *refusal;
    throw Error{Error::Kind::untrusted,
                fmt::format("there is no signature of {} at {}", text::quoted(name.str()), text::quoted(place.name)),
                "say --insecure-options=image if you trust the image all the same"};
}

} // namespace

SignaturePlace signatures_at(Session& session, const oci::DockerName& name, const std::string& place)
{
    return {.name = place, .find = [&session, name, place](const store::ContentDigest& manifest, unsigned number) {
                const auto path = oci::signature_path(name, manifest, number);
                return with_context("fetching its signature", [&] { return signature_at(session, place, path); });
            }};
}

DockerGrounds verify_docker(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                            const SignaturePlace& place, const std::vector<store::ContentDigest>& manifests)
{
    if (rules.signed_by.empty())
        return find_signature(session, name, place, manifests, nullptr);
    DockerGrounds all;
    for (const auto& demand : rules.signed_by) {
        auto grounds = find_signature(session, name, place, manifests, &demand);
        all.fingerprint = std::move(grounds.fingerprint);
        all.signatures.push_back(std::move(grounds.signatures.front()));
    }
    return all;
}

bool is_still_demanded(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                       const std::string& signature)
{
    const auto image_name = model::AcIdentifier::sanitized(name.repository());
    return std::ranges::any_of(rules.signed_by, [&](const oci::SignedBy& demand) {
        return session.is_met([&] {
            const auto claim =
                oci::Claim::parse(session.open_message(image_name, signature, key_files_of(demand)).payload);
            oci::check_claim(claim, name, claim.manifest, demand.identity);
        });
    });
}

} // namespace rocket::image

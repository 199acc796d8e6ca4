// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/docker_signature.hh"

#include <fcntl.h>

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

} // namespace

DockerGrounds verify_docker(Session& session, const oci::DockerName& name, const std::string& place,
                            const std::vector<store::ContentDigest>& manifests)
{
    std::optional<Error> refusal;
    for (const auto& manifest : manifests)
        for (unsigned number = 1; number <= most_signatures; ++number) {
            const auto path = oci::signature_path(name, manifest, number);
            auto signature = with_context("fetching its signature", [&] { return signature_at(session, place, path); });
            if (!signature)
                break;
            try {
                const auto opened = session.open_message(model::AcIdentifier::sanitized(name.repository()), *signature);
                oci::check_claim(oci::Claim::parse(opened.payload), name, manifest);
                session.tell_signer(opened.signer);
                return {opened.signer.fingerprint, std::move(*signature)};
            } catch (const Error& error) {
                if (error.kind() != Error::Kind::untrusted)
                    throw;
                refusal = error;
            }
        }
    if (refusal)
        throw *refusal;
    throw Error{Error::Kind::untrusted,
                fmt::format("there is no signature of {} at {}", text::quoted(name.str()), text::quoted(place)),
                "say --insecure-options=image if you trust the image all the same"};
}

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/decision.hh"

#include <algorithm>
#include <array>

#include "common/sys/text.hh"

namespace rocket::trust
{

using verify::Signature;
using verify::Verdict;

namespace
{

std::string by_whom(const Signature& signature)
{
    if (signature.identities.empty())
        return signature.key;
    return fmt::format("{} ({})", signature.key, text::printable(signature.identities.front()));
}

Error refusal(const Signature& signature, const model::AcIdentifier& image_name)
{
    const auto untrusted = [](std::string text, std::string hint) {
        return Error{Error::Kind::untrusted, std::move(text), std::move(hint)};
    };
    switch (signature.verdict) {
    case Verdict::bad:
        return untrusted(
            fmt::format("BAD signature by key {}: the file is not the one that was signed", by_whom(signature)),
            "get the image and its signature again, from the same place and of the same version");
    case Verdict::signature_expired:
        return untrusted(fmt::format("the signature by key {} has expired", by_whom(signature)),
                         "ask for a new signature of this image");
    case Verdict::key_expired:
        return untrusted(fmt::format("the signature is by key {}, which has expired", by_whom(signature)),
                         "if its owner has extended it, " + how_to_trust(image_name));
    case Verdict::key_revoked:
        return untrusted(fmt::format("the signature is by key {}, which was revoked", by_whom(signature)),
                         "ask for a signature by a key that is still valid");
    case Verdict::good: // by a key that is not ours to trust
    case Verdict::unknown_key:
        return untrusted(fmt::format("the signature is by key {}, which is not trusted for {}",
                                     signature.key.empty() ? "unknown" : signature.key, text::quoted(image_name.str())),
                         "if you trust that key, " + how_to_trust(image_name));
    case Verdict::unusable:
        break;
    }
    return untrusted(fmt::format("the signature by key {} cannot be used: {}", by_whom(signature),
                                 text::printable(signature.detail)),
                     "ask for a new signature of this image");
}

// Which of several refusals tells most.
int relevance(Verdict verdict)
{
    constexpr std::array by_relevance{Verdict::key_revoked, Verdict::key_expired, Verdict::signature_expired,
                                      Verdict::unusable};
    return static_cast<int>(std::ranges::find(by_relevance, verdict) - by_relevance.begin());
}

} // namespace

std::string how_to_trust(const model::AcIdentifier& image_name)
{
    return fmt::format("run: rocket trust --prefix={} KEYFILE", image_name.str());
}

image::Verified decide(const verify::Checked& checked, const std::set<std::string>& trusted,
                       const model::AcIdentifier& image_name)
{
    const auto& signatures = checked.signatures;
    const auto is = [&](Verdict verdict) {
        return [&, verdict](const Signature& one) { return one.verdict == verdict && trusted.contains(one.key); };
    };
    if (const auto bad = std::ranges::find_if(signatures, is(Verdict::bad)); bad != signatures.end())
        throw refusal(*bad, image_name);
    if (const auto good = std::ranges::find_if(signatures, is(Verdict::good)); good != signatures.end())
        return {good->key, good->identities};
    if (signatures.empty())
        fail(Error::Kind::untrusted, "there is no signature");
    const auto worst = std::ranges::min_element(
        signatures, {}, [](const Signature& signature) { return relevance(signature.verdict); });
    throw refusal(*worst, image_name);
}

void decide_issuer(const verify::Checked& checked, const std::set<std::string>& trusted,
                   const model::AcIdentifier& image_name)
{
    const auto& signatures = checked.signatures;
    if (signatures.empty())
        fail(Error::Kind::untrusted, "there is no signature");
    const auto strangers = std::ranges::count_if(signatures, [&](const Signature& signature) {
        return signature.verdict == Verdict::unknown_key || !trusted.contains(signature.key);
    });
    if (static_cast<std::size_t>(strangers) == signatures.size())
        throw refusal(signatures.front(), image_name);
}

} // namespace rocket::trust

// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/verifier.hh"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/sys/sys.hh"
#include "stage0/trust/checker.hh"
#include "stage0/trust/decision.hh"

namespace rocket::trust
{

namespace
{

constexpr std::size_t max_signature_size = std::size_t{64} << 10;

// By position, as the caller was promised.
std::string read_signature(int fd)
{
    if (!S_ISREG(sys::stat(fd).st_mode))
        fail(Error::Kind::usage, "the signature has to be a regular file");
    std::string content(max_signature_size + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto count = sys::check(
            [&] { return ::pread(fd, content.data() + size, content.size() - size, static_cast<off_t>(size)); },
            "reading the signature");
        if (count == 0)
            break;
        size += static_cast<std::size_t>(count);
    }
    content.resize(size);
    return content;
}

// What cannot be read as a signature is as good as none; rkt's users know the first words.
[[noreturn]] void refuse_signature(const Error& error)
{
    throw Error{Error::Kind::untrusted, "keystore: no valid signatures found in signature file: " + error.innermost(),
                error.hint()};
}

} // namespace

KeystoreVerifier::Answer KeystoreVerifier::ask(const model::AcIdentifier& image_name, const Check& check) const
{
    const auto applicable = keystore_.keys_for(image_name);
    for (const auto& warning : applicable.warnings)
        warn_(warning);
    if (applicable.keys.empty())
        throw Error{Error::Kind::untrusted, fmt::format("no key is trusted for {}", text::quoted(image_name.str())),
                    "if you have the key of its publisher, " + how_to_trust(image_name)};

    std::set<std::string> trusted;
    std::map<std::string, std::string> paths;
    std::vector<verify::NamedKey> keys;
    for (const auto& key : applicable.keys) {
        trusted.insert(key.fingerprint.str());
        paths[key.fingerprint.str()] = key.path;
        keys.push_back({key.fingerprint.str(), key.content});
    }
    verify::Checked checked;
    try {
        checked = check(std::move(keys));
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::corrupt)
            refuse_signature(error);
        throw;
    }
    for (const auto& key : checked.unusable_keys) {
        trusted.erase(key.fingerprint);
        warn_(fmt::format("not using key {}: {}", text::quoted(paths[key.fingerprint]), text::printable(key.reason)));
    }
    return {std::move(checked), std::move(trusted)};
}

bool KeystoreVerifier::is_trusted(const model::AcIdentifier& image_name, const std::string& fingerprint)
{
    const auto keys = keystore_.keys_for(image_name).keys;
    return std::ranges::any_of(keys, [&](const KeyFile& key) { return key.fingerprint.str() == fingerprint; });
}

image::Verified KeystoreVerifier::verify(const model::AcIdentifier& image_name, int archive_fd, int signature_fd)
{
    const auto answer = ask(image_name, [&](auto keys) {
        return check_signature(std::move(keys), read_signature(signature_fd), archive_fd);
    });
    return decide(answer.checked, answer.trusted, image_name);
}

image::Opened KeystoreVerifier::open(const model::AcIdentifier& image_name, const std::string& message)
{
    auto answer = ask(image_name, [&](auto keys) { return open_message(std::move(keys), message); });
    return {decide(answer.checked, answer.trusted, image_name), std::move(answer.checked.payload)};
}

image::Opened KeystoreVerifier::open_by(const std::vector<std::string>& key_files,
                                        const model::AcIdentifier& image_name, const std::string& message)
{
    std::set<std::string> trusted;
    std::vector<verify::NamedKey> keys;
    for (const auto& file : key_files)
        for (auto& key : list_keys(file)) {
            trusted.insert(key.fingerprint);
            keys.push_back({key.fingerprint, std::move(key.armoured)});
        }
    auto checked = open_message(std::move(keys), message);
    for (const auto& key : checked.unusable_keys)
        trusted.erase(key.fingerprint);
    return {decide(checked, trusted, image_name), std::move(checked.payload)};
}

// Whose signature it is can be seen without what was signed.
void KeystoreVerifier::check_issuer(const model::AcIdentifier& image_name, int signature_fd)
{
    const auto nothing = sys::make_memfd("nothing");
    const auto answer = ask(image_name, [&](auto keys) {
        return check_signature(std::move(keys), read_signature(signature_fd), nothing.get());
    });
    decide_issuer(answer.checked, answer.trusted, image_name);
}

} // namespace rocket::trust

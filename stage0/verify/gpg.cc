// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/gpg.hh"

#include <gpgme.h>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::verify
{

namespace
{

// Nothing is fetched, started or remembered, and the only trust model is ours: a key that is there counts.
constexpr std::string_view gpg_conf = "no-autostart\n"
                                      "disable-dirmngr\n"
                                      "no-auto-key-locate\n"
                                      "no-auto-key-retrieve\n"
                                      "no-auto-check-trustdb\n"
                                      "trust-model always\n";

void ensure(gpgme_error_t error, std::string_view doing)
{
    if (error != GPG_ERR_NO_ERROR)
        fail(Error::Kind::system, "{}: gpg says: {}", doing, gpgme_strerror(error));
}

struct ReleaseData {
    void operator()(gpgme_data_t data) const { gpgme_data_release(data); }
};
using Data = std::unique_ptr<gpgme_data, ReleaseData>;

Data in_memory(std::string_view bytes)
{
    gpgme_data_t data = nullptr;
    ensure(gpgme_data_new_from_mem(&data, bytes.data(), bytes.size(), 0), "handing over data");
    return Data{data};
}

// A file read by position, so that whoever else holds the same open file notices nothing.
struct PositionedFile {
    int fd;
    off_t position = 0;
};

ssize_t read_positioned(void* handle, void* buffer, std::size_t size)
{
    auto& file = *static_cast<PositionedFile*>(handle);
    ssize_t count = 0;
    do
        count = ::pread(file.fd, buffer, size, file.position);
    while (count < 0 && errno == EINTR);
    if (count > 0)
        file.position += count;
    return count;
}

gpgme_data_cbs positioned_callbacks{read_positioned, nullptr, nullptr, nullptr};

Data from_file(PositionedFile& file)
{
    gpgme_data_t data = nullptr;
    ensure(gpgme_data_new_from_cbs(&data, &positioned_callbacks, &file), "handing over a file");
    Data owned{data};
    ensure(gpgme_data_set_flag(data, "io-buffer-size", "65536"),
           "choosing a buffer"); // a pipe full; more is moved about
    return owned;
}

std::string lower(const char* raw)
{
    std::string text = raw != nullptr ? raw : "";
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

struct ReleaseKey {
    void operator()(gpgme_key_t key) const { gpgme_key_unref(key); }
};
using Key = std::unique_ptr<_gpgme_key, ReleaseKey>;

std::vector<std::string> identities_of(const _gpgme_key& key)
{
    std::vector<std::string> identities;
    for (auto* uid = key.uids; uid != nullptr; uid = uid->next)
        if (uid->revoked == 0 && uid->invalid == 0 && uid->uid != nullptr)
            identities.push_back(std::string{uid->uid}.substr(0, 1024));
    return identities;
}

// A result of the context, for longer than until its next operation.
struct ReleaseResult {
    void operator()(void* result) const { gpgme_result_unref(result); }
};
template <typename Result>
std::unique_ptr<Result, ReleaseResult> keep(Result* result)
{
    if (result != nullptr)
        gpgme_result_ref(result);
    return std::unique_ptr<Result, ReleaseResult>{result};
}

// The key that has this fingerprint or id, its own or a subkey's.
Key find(gpgme_ctx_t context, const char* id)
{
    gpgme_key_t key = nullptr;
    if (id == nullptr || gpgme_get_key(context, id, &key, 0) != GPG_ERR_NO_ERROR)
        return nullptr;
    return Key{key};
}

Verdict verdict_of(const _gpgme_signature& signature)
{
    switch (gpgme_err_code(signature.status)) {
    case GPG_ERR_NO_ERROR:
        return Verdict::good;
    case GPG_ERR_BAD_SIGNATURE:
        return Verdict::bad;
    case GPG_ERR_NO_PUBKEY:
        return Verdict::unknown_key;
    case GPG_ERR_SIG_EXPIRED:
        return Verdict::signature_expired;
    case GPG_ERR_KEY_EXPIRED:
        return Verdict::key_expired;
    case GPG_ERR_CERT_REVOKED:
        return Verdict::key_revoked;
    default:
        return Verdict::unusable;
    }
}

// What the key itself says about a signature gpg calls good: a second look, as one field was overlooked elsewhere.
Verdict second_look(const _gpgme_key& key, const std::string& signer)
{
    if (key.revoked != 0)
        return Verdict::key_revoked;
    if (key.expired != 0)
        return Verdict::key_expired;
    for (auto* subkey = key.subkeys; subkey != nullptr; subkey = subkey->next)
        if (lower(subkey->fpr) == signer) {
            if (subkey->revoked != 0)
                return Verdict::key_revoked;
            if (subkey->expired != 0)
                return Verdict::key_expired;
            return subkey->can_sign != 0 && subkey->invalid == 0 ? Verdict::good : Verdict::unusable;
        }
    return Verdict::unusable;
}

Signature describe(gpgme_ctx_t context, const _gpgme_signature& raw)
{
    Signature signature;
    signature.verdict = verdict_of(raw);
    signature.key = lower(raw.fpr);
    signature.detail = gpgme_strerror(raw.status);
    const auto key = find(context, raw.fpr);
    if (!key || key->subkeys == nullptr) {
        if (signature.verdict == Verdict::good)
            signature.verdict = Verdict::unusable;
        return signature;
    }
    if (signature.verdict == Verdict::good) {
        signature.verdict = second_look(*key, signature.key);
        if (raw.wrong_key_usage != 0)
            signature.verdict = Verdict::unusable;
        if (signature.verdict == Verdict::unusable)
            signature.detail = "the key is not one for signing";
    }
    signature.key = lower(key->subkeys->fpr);
    signature.identities = identities_of(*key);
    return signature;
}

std::string armoured(gpgme_ctx_t context, const _gpgme_key& key)
{
    gpgme_data_t raw = nullptr;
    ensure(gpgme_data_new(&raw), "making room for a key");
    Data out{raw};
    ensure(gpgme_op_export(context, key.subkeys->fpr, 0, raw), "exporting a key");
    std::size_t size = 0;
    const std::unique_ptr<char, void (*)(void*)> text{gpgme_data_release_and_get_mem(out.release(), &size), gpgme_free};
    return {text.get(), size};
}

ListedKey describe(const _gpgme_key& key)
{
    ListedKey listed;
    listed.fingerprint = lower(key.subkeys->fpr);
    for (auto* subkey = key.subkeys->next; subkey != nullptr; subkey = subkey->next)
        listed.subkeys.push_back(lower(subkey->fpr));
    listed.identities = identities_of(key);
    listed.warning = key.revoked != 0 ? "revoked" : key.expired != 0 ? "expired" : "";
    return listed;
}

} // namespace

void Gpg::Release::operator()(gpgme_context* context) const
{
    gpgme_release(context);
}

Gpg::Gpg(const std::string& home)
{
    const auto directory = sys::open(AT_FDCWD, home, O_RDONLY | O_DIRECTORY);
    file::write_volatile(directory.get(), "gpg.conf", gpg_conf, 0600);

    gpgme_check_version(nullptr); // initialises the library
    ensure(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, nullptr, home.c_str()), "finding gpg");
    gpgme_ctx_t context = nullptr;
    ensure(gpgme_new(&context), "preparing gpg");
    context_.reset(context);
    ensure(gpgme_set_protocol(context, GPGME_PROTOCOL_OpenPGP), "preparing gpg");
    gpgme_set_armor(context, 1);
    gpgme_set_offline(context, 1);
}

std::vector<std::string> Gpg::import(std::string_view packets)
{
    const auto data = in_memory(packets);
    ensure(gpgme_op_import(context_.get(), data.get()), "reading keys");
    const auto result = keep(gpgme_op_import_result(context_.get()));
    std::vector<std::string> fingerprints;
    for (auto* one = result ? result->imports : nullptr; one != nullptr; one = one->next)
        if (one->result == GPG_ERR_NO_ERROR)
            fingerprints.push_back(lower(one->fpr));
    return fingerprints;
}

std::vector<ListedKey> Gpg::keys()
{
    std::vector<Key> found;
    ensure(gpgme_op_keylist_start(context_.get(), nullptr, 0), "listing keys");
    for (;;) {
        gpgme_key_t key = nullptr;
        const auto error = gpgme_op_keylist_next(context_.get(), &key);
        if (gpgme_err_code(error) == GPG_ERR_EOF)
            break;
        ensure(error, "listing keys");
        found.emplace_back(key);
    }
    std::vector<ListedKey> keys;
    for (const auto& key : found) {
        if (key->subkeys == nullptr)
            continue;
        keys.push_back(describe(*key));
        keys.back().armoured = armoured(context_.get(), *key);
    }
    return keys;
}

std::vector<Signature> Gpg::check(std::string_view signatures, int file)
{
    PositionedFile positioned{file};
    const auto content = from_file(positioned);
    return check_data(signatures, content.get());
}

std::vector<Signature> Gpg::check(std::string_view signatures, std::string_view content)
{
    const auto data = in_memory(content);
    return check_data(signatures, data.get());
}

std::vector<Signature> Gpg::check_data(std::string_view signatures, gpgme_data* content)
{
    const auto signature_data = in_memory(signatures);
    ensure(gpgme_op_verify(context_.get(), signature_data.get(), content, nullptr), "checking the signature");
    // The call succeeds for a BAD signature too: only the status of each one counts (R11).
    const auto result = keep(gpgme_op_verify_result(context_.get()));
    std::vector<Signature> described;
    for (auto* one = result ? result->signatures : nullptr; one != nullptr; one = one->next)
        described.push_back(describe(context_.get(), *one));
    return described;
}

} // namespace rocket::verify

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/session.hh"

#include "common/sys/sys.hh"
#include "stage0/image/allowed.hh"
#include "stage0/image/pending.hh"
#include "stage0/image/places.hh"

namespace rocket::image
{

namespace
{

// What was found by its name has to be what was asked for; labels nobody asked for may be anything.
void check_name(const model::ImageManifest& manifest, const model::ImageName& expected)
{
    if (manifest.name != expected.name)
        fail(Error::Kind::untrusted, "error when reading the app name: {} expected but {} found",
             text::quoted(expected.name.str()), text::quoted(manifest.name.str()));
    for (const auto& label : expected.for_host().labels) {
        const bool by_user = model::find(expected.labels, label.name.str()) != nullptr;
        const auto* have = model::find(manifest.labels, label.name.str());
        if (label.value.empty() || (have == nullptr && !by_user))
            continue;
        if (have == nullptr)
            fail(Error::Kind::untrusted, "requested label {} not provided by the image manifest",
                 text::quoted(label.name.str()));
        if (*have != label.value)
            fail(Error::Kind::untrusted, "requested value for label {}: {} differs from fetched aci label value: {}",
                 text::quoted(label.name.str()), text::quoted(label.value), text::quoted(*have));
    }
}

} // namespace

Session::Session(store::Store& store, Verifier* verifier, Network& network, Hooks hooks)
    : store_{store}, verifier_{verifier}, network_{network}, hooks_{std::move(hooks)},
      dependencies_{store, verifier != nullptr, [this](const model::ImageId& id) {
                        take_over(id);
                        // Else there are better words for it, which tell the chain of names.
                        if (!checks_signatures() || store_.record(id).is_verified())
                            require_allowed(*this, id);
                    }}
{
}

void Session::say(const std::string& line) const
{
    if (hooks_.say)
        hooks_.say(line);
}

void Session::debug(const std::string& line) const
{
    if (hooks_.debug)
        hooks_.debug(line);
}

Session::LayerProgress Session::layer_progress(const std::string& doing) const
{
    if (!hooks_.part)
        return {};
    return [&part = hooks_.part, doing](const store::ContentDigest& layer, std::uint64_t done,
                                        std::optional<std::uint64_t> total) {
        part(fmt::format("{} layer {}", doing, layer.hex().substr(0, 12)), done, total);
    };
}

model::ImageId Session::admit(store::Import& import, store::Import::Facts facts, const std::string& signature,
                              const model::ImageName* expected)
{
    if (expected != nullptr)
        check_name(import.manifest(), *expected);
    if (verifier_ == nullptr) {
        facts.insecure.emplace_back("image");
    } else {
        facts.fingerprint = verify(import, signature);
        facts.signature = signature;
    }
    facts.dependencies = dependencies_.resolve(import.id(), import.manifest());
    import.publish(facts);
    return import.id();
}

fetch::Request Session::request(const fetch::Url& url, std::string what) const
{
    fetch::Request request{.url = url.str(), .credentials = network_.for_images};
    if (hooks_.progress)
        request.progress = [progress = hooks_.progress, what = std::move(what)](
                               std::uint64_t done, std::optional<std::uint64_t> total) { progress(what, done, total); };
    return request;
}

void Session::check_issuer(const model::AcIdentifier& name, const std::string& signature) const
{
    if (verifier_ == nullptr)
        return;
    const auto file = sys::make_memfd("signature");
    sys::write_all(file.get(), signature);
    try {
        verifier_->check_issuer(name, file.get());
    } catch (Error& error) {
        if (error.kind() == Error::Kind::untrusted)
            error.set_hint(
                fmt::format("if you expected the signing key to change, try running:\n  rocket trust --prefix {}",
                            text::quoted(name.str())));
        throw;
    }
}

std::string Session::verify(const store::Import& import, const std::string& signature) const
{
    const auto file = sys::make_memfd("signature");
    sys::write_all(file.get(), signature);
    const auto verified = verifier_->verify(import.manifest().name, import.archive(), file.get());
    tell_signer(verified);
    return verified.fingerprint;
}

Opened Session::open_message(const model::AcIdentifier& name, const std::string& message) const
{
    return verifier_->open(name, message);
}

Opened Session::open_message(const model::AcIdentifier& name, const std::string& message,
                             const std::vector<std::string>& key_files) const
{
    return verifier_->open_by(key_files, name, message);
}

void Session::tell_signer(const Verified& verified) const
{
    std::string lines = "signature verified:";
    for (const auto& identity : verified.identities)
        lines += "\n  " + text::printable(identity);
    say(lines);
}

void Session::take_over(const model::ImageId& id)
{
    const auto who = store_.other_writer(id);
    if (!who)
        return;
    debug(fmt::format("image {} is by {}: taking it in anew", text::quoted(id.key()), *who));
    try {
        if (take_over_layers(*this, id, "the store, where " + *who + " put it"))
            return;
        const auto raw = store_.open_raw(id);
        store::Import import{store_, raw.archive.get()};
        if (import.id() != id)
            fail(Error::Kind::untrusted, "its archive has the id {}", text::quoted(import.id().key()));
        if (verifier_ != nullptr && raw.signature.empty())
            fail(Error::Kind::untrusted, "it has no signature (--insecure-options=image does without)");
        admit(import, {.requested = id.key(), .source = "the store, where " + *who + " put it"}, raw.signature);
    } catch (const Error& error) {
        throw Error{Error::Kind::untrusted,
                    fmt::format("image {} was put into the store by {} and not by root: {}", text::quoted(id.key()),
                                *who, error.innermost()),
                    fmt::format("`rocket image verify {0}` looks at it again, once you trust its key; or remove it "
                                "with `rocket image rm {0}` and fetch it as root",
                                id.shortened(12))};
    }
}

void Session::require_verified(const model::ImageId& id) const
{
    if (verifier_ == nullptr)
        return;
    const auto record = store_.record(id);
    if (!record.is_verified())
        throw Error{Error::Kind::untrusted,
                    fmt::format("the signature of image {} was never checked", text::quoted(id.key())),
                    "fetch it again with its signature, or say --insecure-options=image to use it all the same"};
    const auto name = store_.manifest(id).name;
    if (!verifier_->is_trusted(name, *record.fingerprint))
        throw Error{Error::Kind::untrusted,
                    fmt::format("image {} was signed by key {}, which is not trusted for {} any more",
                                text::quoted(id.key()), *record.fingerprint, text::quoted(name.str())),
                    "if you trust that key, `rocket trust` it again; or fetch the image anew with "
                    "--pull-policy=update, if it was signed by another key since"};
}

bool Session::is_met(const std::function<void()>& demand) const
{
    try {
        demand();
        return true;
    } catch (const Error& error) {
        if (error.kind() != Error::Kind::untrusted)
            throw;
        debug(error.innermost());
        return false;
    }
}

store::NamedLock Session::lock(const std::string& what) const
{
    return store::NamedLock::take(lock_path(store_.layout(), key_of(what)), [&] {
        debug(fmt::format("another process is fetching {}, waiting", text::quoted(what)));
    });
}

} // namespace rocket::image

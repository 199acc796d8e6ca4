// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/session.hh"

#include "common/sys/sys.hh"

namespace rocket::image
{

namespace
{

std::string lock_for(const model::Layout& layout, const std::string& what)
{
    store::Sha256Hasher hasher;
    hasher.add(what);
    return layout.locks() + "/fetch-" + text::hex(hasher.finish()).substr(0, 32);
}

} // namespace

Session::Session(store::Store& store, Verifier* verifier, Hooks hooks)
    : store_{store}, verifier_{verifier}, hooks_{std::move(hooks)}, dependencies_{store, verifier != nullptr}
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

model::ImageId Session::admit(store::Import& import, store::Import::Facts facts, const std::string& signature)
{
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

std::string Session::verify(const store::Import& import, const std::string& signature) const
{
    const auto file = sys::make_memfd("signature");
    sys::write_all(file.get(), signature);
    const auto verified = verifier_->verify(import.manifest().name, import.archive(), file.get());
    std::string lines = "signature verified:";
    for (const auto& identity : verified.identities)
        lines += "\n  " + text::printable(identity);
    say(lines);
    return verified.fingerprint;
}

void Session::require_verified(const model::ImageId& id) const
{
    if (verifier_ == nullptr || store_.record(id).is_verified())
        return;
    throw Error{Error::Kind::untrusted,
                fmt::format("the signature of image {} was never checked", text::quoted(id.key())),
                "fetch it again with its signature, or say --insecure-options=image to use it all the same"};
}

store::NamedLock Session::lock(const std::string& what) const
{
    return store::NamedLock::take(lock_for(store_.layout(), what), [&] {
        debug(fmt::format("another process is fetching {}, waiting", text::quoted(what)));
    });
}

} // namespace rocket::image

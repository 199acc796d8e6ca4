// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/images.hh"

#include "common/sys/log.hh"
#include "stage0/notify.hh"
#include "stage0/trust/verifier.hh"

namespace rocket::cli
{

namespace
{

std::unique_ptr<image::Verifier> make_verifier(const Context& context)
{
    if (context.global.insecure.image)
        return nullptr;
    const auto& global = context.global;
    return std::make_unique<trust::KeystoreVerifier>(trust::Keystore{global.system_config, global.local_config},
                                                     [](const std::string& warning) { log::print(warning); });
}

} // namespace

ImageSource::ImageSource(const Context& context)
    : store_{model::Layout{context.data_dir()}, {.tick = [](std::uint64_t, std::uint64_t) { notify::tick(); }}},
      verifier_{make_verifier(context)}, acquirer_{store_,
                                                   verifier_.get(),
                                                   {.say = [](const std::string& line) { log::print(line); },
                                                    .debug = [](const std::string& line) { log::debug(line); }}}
{
}

pod::Image ImageSource::acquire(const image::Request& request)
{
    const auto id = acquirer_.acquire(request);
    auto text = store_.manifest_bytes(id);
    auto manifest = model::ImageManifest::parse(text);
    return {.id = id, .manifest = std::move(manifest), .manifest_text = std::move(text), .tree = store_.render(id)};
}

} // namespace rocket::cli

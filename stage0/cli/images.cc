// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/images.hh"

#include <fcntl.h>

#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/fetch/url.hh"
#include "stage0/image/reference.hh"
#include "stage0/notify.hh"
#include "stage0/oci/login.hh"
#include "stage0/store/layered_image.hh"
#include "stage0/trust/verifier.hh"
#include "stage0/users/shared_images.hh"

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

// The configuration's logins, then those of the user's own files (OAUTH-10).
std::optional<oci::Login> docker_login(const Context& context, const std::string& host)
{
    for (const auto& [registry, password] : context.config().docker_auth)
        if (oci::registry_host(registry) == oci::registry_host(host))
            return oci::Login{.password = password};
    return oci::find_login(host);
}

// Ours first, then the one that other tools of the host read, too.
oci::Policy load_policy(const std::string& local_config)
{
    constexpr std::size_t largest_policy = std::size_t{1} << 20;
    const auto ours = local_config.empty() ? std::string{} : local_config + "/policy.json";
    for (const auto& path : {ours, std::string{"/etc/containers/policy.json"}})
        if (!path.empty())
            if (const auto text = file::read_if_exists(AT_FDCWD, path, largest_policy))
                return oci::Policy::parse(*text, path);
    return {};
}

// The same: in our directory such files lie beside ours, which end in .json.
oci::Lookaside load_lookaside(const std::string& local_config)
{
    constexpr std::size_t largest_file = std::size_t{1} << 20;
    const auto ours = local_config.empty() ? std::string{} : local_config + "/registries.d";
    for (const auto& directory : {ours, std::string{"/etc/containers/registries.d"}}) {
        oci::Lookaside found;
        bool is_any = false;
        for (const auto& name : directory.empty()
                                    ? std::vector<std::string>{}
                                    : file::list_if_exists(AT_FDCWD, directory).value_or(std::vector<std::string>{}))
            if (name.ends_with(".yaml")) {
                const auto path = directory + "/" + name;
                found.add(file::read(AT_FDCWD, path, largest_file), path);
                is_any = true;
            }
        if (is_any)
            return found;
    }
    return {};
}

} // namespace

std::string name_in_messages(const std::string& image)
{
    return text::quoted(fetch::without_password(image));
}

store::Store open_store(const Context& context, Progress& progress)
{
    store::Options options;
    for (const auto& [name, number] : context.config().images.limits)
        unpack::set_limit(options.limits, fmt::format("{}={}", name, number));
    options.tick = [&progress](std::uint64_t done, std::uint64_t total) {
        notify::tick();
        progress.show("Unpacking", done, total);
    };
    options.on_wait = [](const std::string& line) { log::print(line); };
    options.warn = [](const std::string& line) { log::print("{}", line); };
    options.debug = [](const std::string& line) { log::debug(line); };
    return store::Store{model::Layout{context.data_dir()}, std::move(options)};
}

ImageSource::ImageSource(const Context& context)
    : context_{context}, progress_{context.global.quiet}, store_{open_store(context, progress_)},
      verifier_{make_verifier(context)}, network_{{.insecure_tls = context.global.insecure.tls,
                                                   .insecure_http = context.global.insecure.http},
                                                  context.config()},
      keys_{context}, acquirer_{store_, verifier_.get(), network_, hooks()}
{
    if (!context.global.system_config.empty())
        network_.shipped = context.global.system_config + "/images";
    network_.docker_login = [&context](const std::string& host) { return docker_login(context, host); };
    network_.lookaside = [&context] { return load_lookaside(context.global.local_config); };
    network_.policy = [&context] { return load_policy(context.global.local_config); };
    if (context.global.insecure.tls && verifier_ != nullptr)
        log::print("warning: TLS verification has been disabled");
}

image::Hooks ImageSource::hooks()
{
    return {.say =
                [this](const std::string& line) {
                    progress_.clear();
                    log::print(line);
                },
            .debug = [](const std::string& line) { log::debug(line); },
            .progress =
                [this](std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total) {
                    notify::tick();
                    progress_.show(fmt::format("Downloading {}", what), done, total);
                },
            .part =
                [this](std::string_view what, std::uint64_t done, std::optional<std::uint64_t> total) {
                    notify::tick();
                    progress_.show_part(what, done, total);
                },
            .find_keys =
                [this](const model::AcIdentifier& name) {
                    progress_.clear();
                    keys_.find(name);
                }};
}

model::ImageId ImageSource::fetch(const image::Request& request)
{
    const auto id = acquirer_.acquire(request);
    progress_.finish();
    return id;
}

pod::Image ImageSource::ready(const model::ImageId& id)
{
    auto text = store_.manifest_bytes(id);
    auto manifest = model::ImageManifest::parse(text);
    return {.id = id, .manifest = std::move(manifest), .manifest_text = std::move(text), .trees = store_.render(id)};
}

pod::Image ImageSource::acquire(const image::Request& request)
{
    return ready(fetch(request));
}

// What root has let in it has verified; only what is asked for by name can be there.
pod::Image ImageSource::from_host(image::Request request)
{
    const auto& shared = *context_.shared_images;
    request.policy = image::PullPolicy::never;
    store::Store store{shared.layout(), store_.options()};
    const auto id = image::Acquirer{store, verifier_.get(), network_, {}}.acquire(request);
    auto text = store.manifest_bytes(id);
    auto manifest = model::ImageManifest::parse(text);
    if (!store.is_rendered(id) || store::hides_directories(store, id))
        fail(Error::Kind::unsupported, "its tree cannot be used in place");
    auto trees = store.render(id);
    shared.keep(id);
    return {.id = id, .manifest = std::move(manifest), .manifest_text = std::move(text), .trees = std::move(trees)};
}

bool ImageSource::may_use_host(const image::Request& request) const
{
    const auto reference = image::parse_reference(request.image);
    const bool is_name = std::holds_alternative<model::ImageIdPrefix>(reference) ||
                         std::holds_alternative<model::ImageName>(reference) ||
                         std::holds_alternative<image::DockerReference>(reference);
    return context_.shared_images && is_name && request.policy != image::PullPolicy::update &&
           request.signature.empty();
}

bool ImageSource::is_on_host(const image::Request& request) const
{
    if (!may_use_host(request))
        return false;
    try {
        image::find_in_store(store::Store{context_.shared_images->layout()}, request.image);
        return true;
    } catch (const Error&) { // then it is no way out
        return false;
    }
}

pod::Image ImageSource::acquire_for_own_pod(const image::Request& request)
{
    if (!may_use_host(request))
        return acquire(request);
    try {
        auto found = from_host(request);
        log::print("using image {} from the host's store", found.id.key());
        return found;
    } catch (const Error& error) {
        log::debug("not from the host's store: {}", error.innermost());
    }
    return acquire(request);
}

pod::Image ImageSource::acquire_for_other_pod(const image::Request& request)
{
    try {
        return acquire(request);
    } catch (Error& error) {
        if (is_on_host(request))
            error.set_hint("the host's store has it, but serves `rocket run` alone; fetch it from where it comes from");
        throw;
    }
}

pod::Image ImageSource::acquire_unsigned(const image::Request& request)
{
    const auto id = image::Acquirer{store_, nullptr, network_, hooks()}.acquire(request);
    progress_.finish();
    return ready(id);
}

void ImageSource::take_over(const model::ImageId& id)
{
    acquirer_.take_over(id);
    progress_.clear();
}

model::ImageId find_to_read(const Context& context, const store::Store& store, const std::string& image)
{
    const auto id = image::find_in_store(store, image);
    if (store.other_writer(id))
        ImageSource{context}.take_over(id);
    return id;
}

} // namespace rocket::cli

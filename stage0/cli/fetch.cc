// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <thread>

#include "common/model/time_span.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/app_args.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/oci/select.hh"

namespace rocket::cli
{

namespace
{

constexpr std::size_t short_digits = 32;

struct Options {
    bool full = false;
    std::string pull_policy = "update";
    std::string platform;
    std::string retry = "0", retry_delay = "1s";
    bool store_only = false;
    bool no_store = false;
    AppArgs images;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("full", options.full, "print the full image ID after fetching");
    flags.add("pull-policy", options.pull_policy, "when to pull an image: new, update or never");
    flags.add("platform", options.platform, "of Docker and OCI images: OS/ARCH[/VARIANT] instead of this host's");
    flags.add(
        "retry", options.retry,
        "how many more times an image is asked for after a failure that may pass, each with all tries of its own");
    flags.add("retry-delay", options.retry_delay, "how long to wait before each of them");
    flags.add("store-only", options.store_only, "").deprecate("please use --pull-policy=never");
    flags.add("no-store", options.no_store, "").deprecate("please use --pull-policy=update");
    options.images.declare_signature(flags);
}

image::PullPolicy policy_of(const Options& options)
{
    if (options.store_only && options.no_store)
        fail(Error::Kind::usage, "both --store-only and --no-store specified");
    if (options.store_only)
        return image::PullPolicy::never;
    return options.no_store ? image::PullPolicy::update : image::parse_pull_policy(options.pull_policy);
}

struct Patience {
    std::uint64_t retries;
    std::chrono::microseconds delay;

    explicit Patience(const Options& options)
        : retries{text::parse_decimal(options.retry, 100).value_or(UINT64_MAX)}, delay{in_context("--retry-delay", [&] {
              return model::parse_time_span(options.retry_delay);
          })}
    {
        if (retries == UINT64_MAX)
            fail(Error::Kind::usage, "--retry: {} is not a number up to 100", text::quoted(options.retry));
    }

    // What the system or the network refuses may pass; what is wrong with the image, or is not there, stays so.
    template <typename Work>
    auto operator()(Work work) const
    {
        for (auto left = retries;; --left) {
            try {
                return work();
            } catch (const Error& error) {
                if (left == 0 || error.kind() != Error::Kind::system)
                    throw;
                log::print("{}: retries left: {}", error.what(), left);
            }
            std::this_thread::sleep_for(delay);
        }
    }
};

int run(Invocation& invocation, Options& options)
{
    options.images.parse(invocation, false);
    const auto policy = policy_of(options);
    if (!options.platform.empty())
        oci::parse_platform(options.platform);
    if (options.images.apps.empty())
        fail(Error::Kind::usage, "must provide at least one image");
    const Patience patience{options};
    ImageSource source{invocation.context};
    std::string ids; // printed only after all succeeded
    for (const auto& image : options.images.apps) {
        const auto id = in_context(name_in_messages(image.image), [&] {
            return patience([&] {
                return source.fetch({.image = image.image,
                                     .signature = image.signature,
                                     .policy = policy,
                                     .platform = options.platform});
            });
        });
        ids += (options.full ? id.key() : id.shortened(short_digits)) + "\n";
    }
    invocation.context.out("{}", ids);
    return 0;
}

Command parts(std::vector<std::string> path)
{
    return {.path = std::move(path),
            .arguments = "IMAGE [--signature=FILE]...",
            .purpose = "fetch image(s) and store them in the local store",
            .description =
                "Fetches, verifies and keeps images, ready to run. An image is a name, found where the web "
                "pages of its host\nsay (appc discovery), an https URL or the path of an ACI file, or the id "
                "of one that is in the store.\nThe signature of X.aci is X.aci.asc, unless --signature behind "
                "the image names another file or URL.\nAn interrupted download is gone on with by the next "
                "fetch.\nDocker and OCI images are docker://[HOST/]NAME[:TAG|@DIGEST], oci:DIR[:NAME], "
                "oci-archive:FILE[:NAME] and\ndocker-archive:FILE[:TAG]; without a signature they "
                "need\n--insecure-options=image (see rocket-config(5))."
                "\nProxies are those of https_proxy, http_proxy, all_proxy and no_proxy; SSL_CERT_FILE and "
                "SSL_CERT_DIR\nreplace the certificates that TLS trusts.",
            .interspersed = false};
}

} // namespace

Command fetch_command()
{
    return command<Options>(parts({"fetch"}), declare, run);
}

Command image_fetch_command()
{
    auto hidden = parts({"image", "fetch"});
    hidden.hidden = true;
    return command<Options>(std::move(hidden), declare, run);
}

} // namespace rocket::cli

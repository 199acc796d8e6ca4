// SPDX-License-Identifier: Apache-2.0
// Trusting keys (cli 8.5): from files, from URLs, or from where the pages of the prefix say they are.
#include <fcntl.h>

#include "common/sys/file.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/keys.hh"
#include "stage0/image/discovery.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    std::string prefix;
    bool root = false;
    bool skip_review = false;
    bool allow_http = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("prefix", options.prefix, "prefix of the image names to trust the keys for");
    flags.add("root", options.root, "trust the keys for all images");
    flags.add("skip-fingerprint-review", options.skip_review, "accept the keys without asking");
    flags.add("insecure-allow-http", options.allow_http, "allow http for key discovery and key URLs");
}

[[noreturn]] void refuse(std::string text, std::string hint = {})
{
    throw Error{Error::Kind::usage, std::move(text), std::move(hint)};
}

trust::Scope scope_of(const Options& options)
{
    if (options.root)
        return std::nullopt;
    if (options.prefix.find("://") != std::string::npos)
        refuse("--prefix must not contain a URL scheme, omit https://");
    if (options.prefix.ends_with("/*"))
        refuse(fmt::format("{} is not a prefix", text::quoted(options.prefix)),
               fmt::format("a prefix stands for all names below it: --prefix={}",
                           options.prefix.substr(0, options.prefix.size() - 2)));
    return model::AcIdentifier::parse(options.prefix);
}

bool is_url(const std::string& location)
{
    return location.find("://") != std::string::npos;
}

// What is neither here nor a URL was meant to be here; reading it says so.
void check_location(const std::string& location, bool allow_http)
{
    if (!is_url(location))
        return;
    const auto scheme = location.substr(0, location.find("://"));
    if (scheme != "http" && scheme != "https")
        refuse("only local files and http or https URLs supported");
    if (scheme == "http" && !allow_http)
        refuse("--insecure-allow-http required for http URLs");
    fetch::Url::parse(location);
}

void check_usage(const Options& options, const Words& locations)
{
    if (options.root && !options.prefix.empty())
        refuse("--root and --prefix usage mutually exclusive");
    if (options.prefix.empty() && !options.root) {
        if (locations.empty())
            throw UsageRequested{};
        refuse("aborting due to implicit unbounded trust (root domain)",
               "a key is trusted for the images below a name: --prefix=example.com/product\n"
               "  if it really is to be trusted for every image: --root");
    }
    if (options.root && locations.empty())
        refuse("--root needs a key file");
    for (const auto& location : locations)
        check_location(location, options.allow_http);
}

std::string read_key(fetch::Client& client, const std::string& location)
{
    constexpr std::size_t max_size = std::size_t{256} << 10;
    if (is_url(location))
        return fetch_key(client, fetch::Url::parse(location));
    return file::read(AT_FDCWD, location, max_size);
}

// Where the pages of the prefix say that its keys are.
Words discovered(image::Network& network, const trust::Scope& scope)
{
    Words locations;
    in_context("error determining key location", [&] {
        for (const auto& url : image::discover_keys(network, *scope))
            locations.push_back(url.str());
    });
    return locations;
}

int run(Invocation& invocation, const Options& options)
{
    const auto& global = invocation.context.global;
    check_usage(options, invocation.args);
    const auto scope = scope_of(options);
    if (global.insecure.image)
        throw Error{Error::Kind::usage, "could not get the keystore",
                    "--insecure-options=image is to do without keys; leave it out to trust one"};
    image::Network network{{.insecure_tls = global.insecure.tls, .insecure_http = options.allow_http}};
    KeyReview review{.keystore = trust::Keystore{global.system_config, global.local_config},
                     .prefix = options.prefix,
                     .scope = scope,
                     .out = [&](const std::string& text) { invocation.context.out("{}", text); }};
    for (const auto& location : invocation.args.empty() ? discovered(network, scope) : invocation.args) {
        auto content = in_context("error adding keys", [&] { return read_key(network.client, location); });
        review.skip_review = options.skip_review || (global.trust_keys_from_https && location.starts_with("https://"));
        review_and_store(review, location, std::move(content));
    }
    return 0;
}

} // namespace

Command trust_command()
{
    return command<Options>(
        {.path = {"trust"},
         .arguments = "(--prefix=PREFIX | --root) [--skip-fingerprint-review] [PUBKEY...]",
         .purpose = "trust keys for image verification",
         .description = "PUBKEY is a file, or an https URL, with one or more ASCII-armoured OpenPGP keys. Each "
                        "of them is trusted\nfor the images whose name is PREFIX or continues it with a /, or "
                        "with --root for all images. Without PUBKEY\nthe keys are those that the web pages of "
                        "PREFIX name (ac-discovery-pubkeys)."},
        declare, run);
}

} // namespace rocket::cli

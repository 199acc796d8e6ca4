// SPDX-License-Identifier: Apache-2.0
// Trusting keys (cli 8.5): shows what is in a key file, asks, and stores each key for the prefix.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iostream>

#include "common/sys/file.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/trust/checker.hh"
#include "stage0/trust/keystore.hh"

namespace rocket::cli
{

namespace
{

using trust::Fingerprint;
using Keys = std::vector<verify::ListedKey>;

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

// Lines of the component that deals with keys have its prefix, not the command's (cli 1.3).
template <typename... Arg>
void say(fmt::format_string<Arg...> text, Arg&&... arg)
{
    std::fflush(stdout); // so that the two streams stay in order on a terminal
    fmt::print(stderr, "pubkey: {}\n", fmt::format(text, std::forward<Arg>(arg)...));
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

// What is neither here nor a URL was meant to be here; reading it says so.
void check_location(const std::string& location, bool allow_http)
{
    const auto end_of_scheme = location.find("://");
    if (end_of_scheme == std::string::npos)
        return;
    const auto scheme = location.substr(0, end_of_scheme);
    if (scheme != "http" && scheme != "https")
        refuse("only local files and http or https URLs supported");
    if (scheme == "http" && !allow_http)
        refuse("--insecure-allow-http required for http URLs");
    throw Error{Error::Kind::unsupported,
                fmt::format("cannot fetch {}: this version takes keys from local files only", text::quoted(location)),
                "download it, compare its fingerprint with what its owner says, and give the file's name"};
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

Keys keys_in(const std::string& location)
{
    constexpr std::size_t max_size = std::size_t{256} << 10;
    auto content = file::read(AT_FDCWD, location, max_size);
    try {
        return trust::list_keys(std::move(content));
    } catch (const Error& error) {
        throw Error{error.kind(), fmt::format("{}: {}", text::quoted(location), error.innermost()), error.hint()};
    }
}

Fingerprint checked(const std::string& fingerprint)
{
    const auto parsed = Fingerprint::parse(fingerprint);
    if (!parsed)
        fail(Error::Kind::corrupt, "{} is not a fingerprint", text::quoted(fingerprint));
    return *parsed;
}

void show(const Context& context, const Keys& keys)
{
    for (const auto& key : keys) {
        context.out("gpg key fingerprint is: {}\n", checked(key.fingerprint).grouped());
        for (const auto& subkey : key.subkeys)
            context.out("    Subkey fingerprint: {}\n", checked(subkey).grouped());
        for (const auto& identity : key.identities)
            context.out("\t{}\n", text::printable(identity));
        if (!key.warning.empty())
            say("warning: key {} is {}: no signature by it will be accepted", key.fingerprint, key.warning);
    }
}

bool are_trusted_already(const Keys& keys, const trust::Keystore& keystore, const trust::Scope& scope)
{
    const auto trusted = keystore.keys_for(scope).keys;
    return std::ranges::all_of(keys, [&](const verify::ListedKey& key) {
        return std::ranges::any_of(
            trusted, [&](const trust::KeyFile& file) { return file.fingerprint.str() == key.fingerprint; });
    });
}

bool ask(const std::string& prefix)
{
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
        say("To trust the key for {}, do one of the following:", text::quoted(prefix));
        say("  - run this command on a terminal, and answer its question");
        say("  - compare the fingerprint above with what the key's owner says, then add --skip-fingerprint-review");
        throw CommandError{"error reviewing key",
                           Error{Error::Kind::usage, "unable to ask user to review fingerprint due to lack of tty"}};
    }
    std::fflush(stdout);
    std::cerr << "Are you sure you want to trust this key (yes/no)? " << std::flush;
    for (std::string answer; std::getline(std::cin, answer);) {
        const auto word = text::trim(answer);
        if (word == "yes" || word == "no")
            return word == "yes";
        std::cerr << "Please enter 'yes' or 'no' " << std::flush;
    }
    throw CommandError{"error reviewing key", Error{Error::Kind::usage, "there was no answer"}};
}

bool is_accepted(const Context& context, const std::string& location, const Keys& keys, const Options& options,
                 const trust::Keystore& keystore, const trust::Scope& scope)
{
    const auto where = text::quoted(location);
    const auto prefix = text::quoted(options.prefix);
    if (are_trusted_already(keys, keystore, scope)) {
        context.out("{} is trusted for prefix {} already.\n", where, prefix);
        return true; // stored again all the same: it may be a newer copy of the key
    }
    if (options.skip_review) {
        context.out("Trusting {} for prefix {} without fingerprint review.\n", where, prefix);
        return true;
    }
    if (!ask(options.prefix)) {
        say("not trusting {}", where);
        return false;
    }
    context.out("Trusting {} for prefix {} after fingerprint review.\n", where, prefix);
    return true;
}

void store(const Context& context, const verify::ListedKey& key, const trust::Keystore& keystore,
           const trust::Scope& scope)
{
    try {
        const auto path = keystore.add(scope, checked(key.fingerprint), key.armoured);
        if (scope)
            context.out("Added key for prefix {} at {}\n", text::quoted(scope->str()), text::quoted(path));
        else
            context.out("Added root key at {}\n", text::quoted(path));
    } catch (Error& error) {
        if (error.error_number() == EACCES || error.error_number() == EPERM)
            error.set_hint("root and members of the group rocket-admin may trust keys");
        throw;
    }
}

void trust_file(const Context& context, const std::string& location, const Options& options,
                const trust::Keystore& keystore, const trust::Scope& scope)
{
    const auto keys = in_context("error adding keys", [&] { return keys_in(location); });
    say("prefix: {}\nkey: {}", text::quoted(options.prefix), text::quoted(location));
    show(context, keys);
    if (!is_accepted(context, location, keys, options, keystore, scope))
        return;
    in_context("error adding keys", [&] {
        for (const auto& key : keys)
            store(context, key, keystore, scope);
    });
}

int run(Invocation& invocation, const Options& options)
{
    const auto& global = invocation.context.global;
    check_usage(options, invocation.args);
    const auto scope = scope_of(options);
    if (global.insecure.image)
        throw Error{Error::Kind::usage, "could not get the keystore",
                    "--insecure-options=image is to do without keys; leave it out to trust one"};
    if (invocation.args.empty())
        throw CommandError{"error determining key location",
                           Error{Error::Kind::unsupported, "this version takes keys from local files only",
                                 "give the name of a key file"}};
    const trust::Keystore keystore{global.system_config, global.local_config};
    for (const auto& location : invocation.args)
        trust_file(invocation.context, location, options, keystore, scope);
    return 0;
}

} // namespace

Command trust_command()
{
    return command<Options>({.path = {"trust"},
                             .arguments = "(--prefix=PREFIX | --root) [--skip-fingerprint-review] PUBKEY...",
                             .purpose = "trust keys for image verification",
                             .description =
                                 "PUBKEY is a file with one or more ASCII-armoured OpenPGP keys. Each of them is "
                                 "trusted for the images\nwhose name is PREFIX or continues it with a /, or with "
                                 "--root for all images."},
                            declare, run);
}

} // namespace rocket::cli

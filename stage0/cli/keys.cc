// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/keys.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iostream>

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/image/discovery.hh"
#include "stage0/trust/checker.hh"

namespace rocket::cli
{

namespace
{

using trust::Fingerprint;
using Keys = std::vector<verify::ListedKey>;

// Lines of the component that deals with keys have its prefix, not the command's (cli 1.3).
template <typename... Arg>
void say(fmt::format_string<Arg...> text, Arg&&... arg)
{
    std::fflush(stdout); // so that the two streams stay in order on a terminal
    fmt::print(stderr, "pubkey: {}\n", fmt::format(text, std::forward<Arg>(arg)...));
}

Keys keys_in(const std::string& location, std::string content)
{
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

void show(const KeyReview& review, const Keys& keys)
{
    for (const auto& key : keys) {
        review.out(fmt::format("gpg key fingerprint is: {}\n", checked(key.fingerprint).grouped()));
        for (const auto& subkey : key.subkeys)
            review.out(fmt::format("    Subkey fingerprint: {}\n", checked(subkey).grouped()));
        for (const auto& identity : key.identities)
            review.out(fmt::format("\t{}\n", text::printable(identity)));
        if (!key.warning.empty())
            say("warning: key {} is {}: no signature by it will be accepted", key.fingerprint, key.warning);
    }
}

bool are_trusted_already(const KeyReview& review, const Keys& keys)
{
    const auto trusted = review.keystore.keys_for(review.scope).keys;
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

bool is_accepted(const KeyReview& review, const std::string& location, const Keys& keys)
{
    const auto where = text::quoted(location);
    const auto prefix = text::quoted(review.prefix);
    if (are_trusted_already(review, keys)) {
        review.out(fmt::format("{} is trusted for prefix {} already.\n", where, prefix));
        return true; // stored again all the same: it may be a newer copy of the key
    }
    if (review.skip_review) {
        review.out(fmt::format("Trusting {} for prefix {} without fingerprint review.\n", where, prefix));
        return true;
    }
    if (!ask(review.prefix)) {
        say("not trusting {}", where);
        return false;
    }
    review.out(fmt::format("Trusting {} for prefix {} after fingerprint review.\n", where, prefix));
    return true;
}

void store(const KeyReview& review, const verify::ListedKey& key)
{
    try {
        const auto path = review.keystore.add(review.scope, checked(key.fingerprint), key.armoured);
        if (review.scope)
            review.out(
                fmt::format("Added key for prefix {} at {}\n", text::quoted(review.scope->str()), text::quoted(path)));
        else
            review.out(fmt::format("Added root key at {}\n", text::quoted(path)));
    } catch (Error& error) {
        if (error.error_number() == EACCES || error.error_number() == EPERM)
            error.set_hint("root and members of the group rocket-admin may trust keys");
        throw;
    }
}

} // namespace

void review_and_store(const KeyReview& review, const std::string& location, std::string content)
{
    const auto keys = in_context("error adding keys", [&] { return keys_in(location, std::move(content)); });
    say("prefix: {}\nkey: {}", text::quoted(review.prefix), text::quoted(location));
    show(review, keys);
    if (!is_accepted(review, location, keys))
        return;
    in_context("error adding keys", [&] {
        for (const auto& key : keys)
            store(review, key);
    });
}

std::string fetch_key(fetch::Client& client, const fetch::Url& url)
{
    constexpr std::uint64_t largest_key = std::uint64_t{256} << 10;
    auto response = client.perform({.url = url.str(), .limit = largest_key, .total_seconds = 120});
    if (response.status != 200)
        fetch::fail_status(response);
    return std::move(response.body);
}

// A key that is trusted for all images says nothing about who makes this one.
bool KeyFinder::are_known(const model::AcIdentifier& name) const
{
    const auto& global = context_.global;
    const auto applicable = trust::Keystore{global.system_config, global.local_config}.keys_for(name);
    return std::ranges::any_of(
        applicable.keys, [](const trust::KeyFile& file) { return file.path.find("/prefix.d/") != std::string::npos; });
}

void KeyFinder::find(const model::AcIdentifier& name)
{
    const auto& insecure = context_.global.insecure;
    if (!done_.insert(name).second || (insecure.tls && !insecure.pubkey))
        return;
    if (are_known(name))
        return log::debug("keys already exist for prefix {}, not fetching again", text::quoted(name.str()));
    image::Network network{{.insecure_tls = insecure.tls, .insecure_http = insecure.http && insecure.pubkey},
                           context_.config()};
    std::vector<fetch::Url> urls;
    try {
        urls = image::discover_keys(network, name);
    } catch (const Error& error) {
        return log::print("error determining key location: {}", error.innermost());
    }
    for (const auto& url : urls)
        offer(network, name, url);
}

void KeyFinder::offer(image::Network& network, const model::AcIdentifier& name, const fetch::Url& url) const
{
    const auto& global = context_.global;
    const KeyReview review{.keystore = trust::Keystore{global.system_config, global.local_config},
                           .prefix = name.str(),
                           .scope = name,
                           .skip_review = global.trust_keys_from_https && url.is_secure(),
                           .out = [](const std::string& text) { fmt::print(stderr, "{}", text); }};
    try {
        review_and_store(review, url.str(), fetch_key(network.client, url));
    } catch (const Error& error) {
        log::print("error adding keys: {}", error.innermost());
    }
}

} // namespace rocket::cli

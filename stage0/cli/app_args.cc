// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/app_args.hh"

#include <algorithm>
#include <utility>

#include "common/sys/text.hh"

namespace rocket::cli
{

namespace
{

// "\---" stands for "---", "\\---" for "\---", and so on.
std::string unescaped(const std::string& word)
{
    const auto dashes = word.find_first_not_of('\\');
    const bool escaped = dashes != std::string::npos && dashes > 0 && word.substr(dashes) == "---";
    return escaped ? word.substr(1) : word;
}

// From behind "--" up to "---" or the end; empty words are arguments like any other (Q2).
Words take_arguments(const Words& words, std::size_t& at)
{
    Words arguments;
    for (; at < words.size() && words[at] != "---"; ++at)
        arguments.push_back(unescaped(words[at]));
    at = std::min(at + 1, words.size());
    return arguments;
}

} // namespace

void AppArgs::parse_all(const Invocation& invocation, bool takes_arguments)
{
    const auto& words = invocation.args;
    bool has_arguments = false; // the current image has had its argument list
    for (std::size_t at = 0; at < words.size();) {
        if (words[at].empty()) {
            at += 1;
        } else if (words[at] == "--" && at == 0) {
            at += 1; // before the first image it only ends the pod's flags, as rkt has it (Q4)
        } else if (words[at] == "--") {
            if (!takes_arguments)
                throw FlagError{"app arguments unsupported"};
            if (apps.empty())
                throw FlagError{"an image is required before any app arguments"};
            if (std::exchange(has_arguments, true))
                throw FlagError{"only one set of app arguments allowed per image"};
            apps.back().arguments = take_arguments(words, ++at);
        } else if (words[at] == "---" && !apps.empty()) {
            at += 1; // between images it does no harm; elsewhere somebody meant -- (Q3)
            if (at == words.size() || words[at].starts_with('-'))
                throw FlagError{"--- must be followed by an image; app arguments begin with --"};
        } else if (!invocation.parser.take(words, at)) {
            apps.push_back({.image = words[at++], .signature = {}});
            has_arguments = false;
        }
    }
}

void AppArgs::parse(const Invocation& invocation, bool takes_arguments)
{
    try {
        parse_all(invocation, takes_arguments);
    } catch (const FlagError& error) {
        fail(Error::Kind::usage, "{}: {}",
             takes_arguments ? "error parsing app image arguments" : "unable to parse arguments", error.what());
    }
}

pod::AppRequest& AppArgs::current(const std::string& flag)
{
    if (apps.empty())
        fail(Error::Kind::usage, "--{} must follow an image", flag);
    return apps.back();
}

void check_mounts(const std::vector<model::Mount>& mounts, const std::vector<model::Volume>& volumes)
{
    for (const auto& mount : mounts)
        if (std::ranges::find(volumes, mount.volume, &model::Volume::name) == volumes.end())
            fail(Error::Kind::usage, "dangling mount point {}: volume {} not found", text::quoted(mount.path),
                 text::quoted(mount.volume.str()));
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
// The grammar of pods on the command line (cli 7.1): IMAGE [FLAG]... [-- ARG...] [--- IMAGE ...]. Per-app flags bind to
// the nearest image before them; the command's own and the global flags may stand anywhere but in an argument list.
// A literal "---" in an argument list is written "\---"; one more backslash in front gives "\---" (Q3).
#pragma once

#include "stage0/cli/command.hh"
#include "stage0/pod/request.hh"

namespace rocket::cli
{

class AppArgs
{
public:
    std::vector<pod::AppRequest> apps;
    std::vector<model::Mount> mounts; // --mount before the first image

    // Declares the flags that bind to an image: --signature, or all of cli 7.2. They refuse to be used before one.
    void declare_signature(FlagSet& flags);
    void declare(FlagSet& flags);

    // Reads invocation.args, all of it. Throws Error "error parsing app image arguments: ..."; with
    // `takes_arguments` false, as for fetch, "unable to parse arguments: ...", and -- is an error.
    void parse(const Invocation& invocation, bool takes_arguments = true);

private:
    pod::AppRequest& current(const std::string& flag);
    void annotate(const std::string& flag_name, const std::string& value);
    void declare_execution(FlagSet& flags);
    void declare_identity(FlagSet& flags);
    void declare_isolators(FlagSet& flags);
    void declare_metadata(FlagSet& flags);
    void declare_health(FlagSet& flags);
    void declare_streams(FlagSet& flags);
    void parse_all(const Invocation& invocation, bool takes_arguments);
};

// "dangling mount point "PATH": volume "NAME" not found": a mount must name a declared volume.
void check_mounts(const std::vector<model::Mount>& mounts, const std::vector<model::Volume>& volumes);

} // namespace rocket::cli

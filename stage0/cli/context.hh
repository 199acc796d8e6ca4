// SPDX-License-Identifier: Apache-2.0
// What every command is given: the global options (cli 2), the directories they lead to, and stdout.
// Results go to stdout through out(), without a prefix; everything else goes to stderr through common/sys/log.hh,
// which has the command's name as its prefix by then (cli 1.3).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/sys/fd.hh"
#include "stage0/cli/flags.hh"
#include "stage0/cli/insecure_options.hh"
#include "stage0/config/config.hh"

namespace rocket::users
{
class SharedImages;
}

namespace rocket::cli
{

struct GlobalOptions {
    bool debug = false;
    std::string dir; // empty: from the configuration, else the built-in default
    std::string system_config = ROCKET_SYSTEM_CONFIG_DIR;
    std::string local_config = ROCKET_LOCAL_CONFIG_DIR;
    std::string user_config; // empty: there is none
    InsecureOptions insecure;
    bool trust_keys_from_https = false;
    bool quiet = false; // no progress; set by commands that have a flag for it
};

// An error to be printed as "COMMAND: CONTEXT: INNERMOST CAUSE"; without a context only the innermost cause is shown.
struct CommandError : Error {
    CommandError(std::string doing, const Error& error) : Error{error}, context{std::move(doing)} {}
    std::string context;
};

// Runs `act`; an Error that leaves it is shown with `context`.
template <typename Act>
decltype(auto) in_context(std::string_view context, Act&& act)
{
    try {
        return std::forward<Act>(act)();
    } catch (const FlagError&) {
        throw;
    } catch (const Error& error) {
        throw CommandError{std::string{context}, error};
    }
}

class Context
{
public:
    Context();

    GlobalOptions global;
    // If we are root of our own only (stage0/users): the host's helper, and its images.
    std::shared_ptr<const Fd> users_host = {};
    std::shared_ptr<const users::SharedImages> shared_images = {};

    void declare_flags(FlagSet& flags);

    // The merged configuration, read on first use; throws "cannot get configuration": cause.
    const config::Config& config() const;

    // --dir, else paths.data of the configuration, else the default; links resolved if it exists. Found once,
    // on first use; throws as config().
    const std::string& data_dir() const;

    template <typename... Arg>
    void out(fmt::format_string<Arg...> text, Arg&&... arg) const
    {
        print(fmt::format(text, std::forward<Arg>(arg)...));
    }

private:
    static void print(const std::string& bytes);
    mutable std::optional<config::Config> config_;
    mutable std::optional<std::string> data_dir_;
};

} // namespace rocket::cli

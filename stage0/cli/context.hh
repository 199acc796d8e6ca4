// SPDX-License-Identifier: Apache-2.0
// What every command is given: the global options (cli 2), the directories they lead to, and stdout.
// Results go to stdout through out(), without a prefix; everything else goes to stderr through common/sys/log.hh,
// which has the command's name as its prefix by then (cli 1.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "stage0/cli/flags.hh"
#include "stage0/cli/insecure_options.hh"

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
};

class Context
{
public:
    Context();

    GlobalOptions global;

    void declare_flags(FlagSet& flags);

    // --dir, else paths.data of the configuration, else the default; links resolved if it exists. Read once, on
    // first use; throws "cannot get configuration" -> cause.
    const std::string& data_dir() const;

    template <typename... Arg>
    void out(fmt::format_string<Arg...> text, Arg&&... arg) const
    {
        print(fmt::format(text, std::forward<Arg>(arg)...));
    }

private:
    static void print(const std::string& bytes);
    mutable std::optional<std::string> data_dir_;
};

} // namespace rocket::cli

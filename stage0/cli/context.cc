// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/context.hh"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "common/sys/log.hh"
#include "common/sys/text.hh"

namespace rocket::cli
{

namespace
{

namespace fs = std::filesystem;

// A "dir" value is made absolute against the working directory (cli 2).
void add_dir(FlagSet& flags, std::string name, std::string& field, std::string shown, std::string help)
{
    flags.add_custom({std::move(name), std::move(help), Flag::Value::required, std::move(shown), "",
                      [&field](const std::string& value) {
                          if (value.empty())
                              throw Error{Error::Kind::usage, "\"\" is not a valid directory"};
                          field = fs::absolute(value).lexically_normal().string();
                      }});
}

std::string default_user_config()
{
    if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg && *xdg == '/')
        return fmt::format("{}/rocket", xdg);
    if (const char* home = std::getenv("HOME"); home && *home == '/')
        return fmt::format("{}/.config/rocket", home);
    return {};
}

// Whoever comes from rkt finds nothing of theirs, and has to be told why (Q67): until our own directory is there.
void note_what_rkt_left(const std::string& old, const char* ours, const char* advice)
{
    std::error_code problem;
    if (fs::is_directory(old, problem) && !fs::exists(ours, problem))
        log::print("note: {} of rkt is not looked at, {} is not there yet: {}", text::quoted(old), text::quoted(ours),
                   advice);
}

} // namespace

Context::Context()
{
    global.user_config = default_user_config();
}

void Context::declare_flags(FlagSet& flags)
{
    flags.add_custom({"debug", "print out more debug information to stderr", Flag::Value::boolean, "false", "true",
                      [this](const std::string& value) {
                          global.debug = bool_value(value);
                          log::set_debug(global.debug); // at once: wherever it stands, also after an image (Q8)
                      }});
    add_dir(flags, "dir", global.dir, ROCKET_DATA_DIR, "rocket data directory");
    add_dir(flags, "system-config", global.system_config, ROCKET_SYSTEM_CONFIG_DIR, "system configuration directory");
    add_dir(flags, "local-config", global.local_config, ROCKET_LOCAL_CONFIG_DIR, "local configuration directory");
    add_dir(flags, "user-config", global.user_config, global.user_config, "user configuration directory");
    flags.add_custom({"insecure-options",
                      "comma-separated list of security features to disable: none, image, tls, http, pubkey, "
                      "capabilities, paths, seccomp, ondisk, all-fetch, all-run, all",
                      Flag::Value::required, "none", "",
                      [this](const std::string& value) { global.insecure = InsecureOptions::parse(value); }});
    flags.add("trust-keys-from-https", global.trust_keys_from_https, "automatically trust gpg keys fetched from https");
    flags.add_custom(
        {"help", "help for this command", Flag::Value::boolean, "false", "true", [](const std::string& value) {
             if (bool_value(value))
                 throw HelpRequested{};
         }});
}

const config::Config& Context::config() const
{
    if (!config_) {
        if (global.local_config == ROCKET_LOCAL_CONFIG_DIR)
            note_what_rkt_left("/etc/rkt", ROCKET_LOCAL_CONFIG_DIR,
                               "copy it there, or say --local-config=/etc/rkt, to keep its keys and settings");
        config_ = in_context("cannot get configuration", [&] {
            return config::load({global.system_config, global.local_config, global.user_config});
        });
    }
    return *config_;
}

const std::string& Context::data_dir() const
{
    if (!data_dir_) {
        const auto& configured = config().paths.data; // read even if --dir wins: a broken configuration is fatal
        const auto chosen = !global.dir.empty() ? global.dir : !configured.empty() ? configured : ROCKET_DATA_DIR;
        std::error_code problem; // a directory that is not there yet is made by whoever writes first
        const auto resolved = fs::canonical(chosen, problem);
        if (chosen == ROCKET_DATA_DIR)
            note_what_rkt_left("/var/lib/rkt", ROCKET_DATA_DIR, "fetch the images again, pods are made anew");
        data_dir_ = problem ? chosen : resolved.string();
    }
    return *data_dir_;
}

void Context::print(const std::string& bytes)
{
    std::fwrite(bytes.data(), 1, bytes.size(), stdout); // a failure stays on the stream; dispatch() asks at the end
}

} // namespace rocket::cli

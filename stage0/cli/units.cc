// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/table.hh"
#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/keys.hh"
#include "stage0/quadlet/load.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool check = false;
    bool keys = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("check", options.check, "print nothing but what is wrong with the files");
    flags.add("keys", options.keys, "print the keys that files may have, and those that are refused");
}

void print_keys(Context& context)
{
    std::vector<Row> rows{{"SECTION", "KEY", "HERE", "MEANING"}};
    for (const auto& help : quadlet::key_help())
        rows.push_back({std::string{help.section}, std::string{help.key}, "supported", std::string{help.meaning}});
    for (const auto& refusal : quadlet::refused_keys())
        rows.push_back({std::string{refusal.section}, std::string{refusal.key}, "refused",
                        refusal.but.empty() ? std::string{refusal.why}
                                            : fmt::format("{}; {} may be said", refusal.why, refusal.but)});
    context.out("{}", layout(rows));
}

// A file is seen among its neighbours, which it may refer to.
std::vector<std::string> directories_of(const Words& paths)
{
    if (paths.empty())
        return quadlet::standard_directories();
    std::vector<std::string> directories;
    for (const auto& path : paths) {
        const bool is_directory = S_ISDIR(sys::stat_at(AT_FDCWD, path, 0).st_mode);
        const auto slash = path.rfind('/');
        auto directory = is_directory ? path : slash == std::string::npos ? "." : path.substr(0, slash);
        if (std::ranges::find(directories, directory) == directories.end())
            directories.push_back(std::move(directory));
    }
    const auto& standard = quadlet::standard_directories();
    if (std::ranges::all_of(directories,
                            [&](const auto& d) { return std::ranges::find(standard, d) != standard.end(); }))
        return standard;
    return directories;
}

int run(Invocation& invocation, const Options& options)
{
    const auto& paths = invocation.args;
    if (options.keys) {
        if (options.check || !paths.empty())
            fail(Error::Kind::usage, "--keys is about all files: give neither --check nor files with it");
        print_keys(invocation.context);
        return 0;
    }
    const auto is_asked_for = [&](const std::string& path) {
        return paths.empty() || std::ranges::any_of(paths, [&](const auto& asked) {
                   return path == asked || path == "./" + asked || path.starts_with(asked + "/");
               });
    };
    const auto translation = quadlet::translate(quadlet::load(directories_of(paths)), ROCKET_PROGRAM);
    bool failed = false;
    for (const auto& problem : translation.problems)
        if (is_asked_for(problem.path)) {
            log::print("{}", text::printable(problem.text));
            failed = true;
        }
    for (const auto& unit : translation.units)
        if (!options.check && is_asked_for(unit.path)) {
            invocation.context.out("# --- {}\n{}\n", unit.name, unit.text);
            for (const auto& link : unit.links)
                invocation.context.out("# {} is a link to it\n", link);
        }
    return failed ? 1 : 0;
}

} // namespace

Command units_command()
{
    return command<Options>(
        {.path = {"units"},
         .arguments = "[FILE | DIRECTORY]...",
         .purpose = "show the systemd units that .container, .pod, .image, .volume and .network files stand for",
         .description = "Prints what rocket-generator makes of files in the syntax of podman's Quadlet, without making "
                        "it.\nWithout "
                        "arguments those of /etc/rocket/systemd, /run/rocket/systemd and /usr/lib/rocket/systemd."},
        declare, run);
}

} // namespace rocket::cli

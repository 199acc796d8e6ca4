// SPDX-License-Identifier: Apache-2.0
#include "stage1/audit.hh"

#include <algorithm>
#include <optional>

#include "common/sys/error.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* inert = "nosuid,nodev,noexec";

struct MountLine {
    std::string place;
    std::vector<std::string> options;
};

// A blank, tab, line feed or backslash is written as \ and three octal digits.
std::string unescaped(std::string_view raw)
{
    std::string plain;
    while (!raw.empty()) {
        const auto code = raw[0] == '\\' ? text::parse_octal(raw.substr(1, 3), 0377) : std::nullopt;
        plain += code ? static_cast<char>(*code) : raw[0];
        raw.remove_prefix(code ? 4 : 1);
    }
    return plain;
}

// "36 35 98:0 /root /place rw,noatime shared:1 - ext3 /dev/root rw"
std::vector<MountLine> parse(std::string_view mountinfo)
{
    std::vector<MountLine> mounts;
    for (const auto& line : text::split(mountinfo, '\n')) {
        const auto fields = text::split(line, ' ');
        if (fields.size() > 5)
            mounts.push_back({.place = unescaped(fields[4]), .options = text::split(fields[5], ',')});
        else if (!line.empty())
            fail(Error::Kind::system, "mountinfo has a line that cannot be read: {}", text::quoted(line));
    }
    return mounts;
}

void add_app(std::vector<MountRule>& rules, const Plan& plan, const AppPlan& app,
             const std::vector<std::string>& volume_places)
{
    const auto add = [&](const char* place, const char* options, bool required = true, bool anything_below = false) {
        rules.push_back({app.root + place, options, required, anything_below});
    };
    rules.push_back({app.root.empty() ? "/" : app.root, app.read_only ? "ro,nodev" : "nodev"});
    add("/proc", inert, true, true);
    if (plan.mask_paths)
        add("/proc/sys", "ro");
    add("/sys", plan.mask_paths ? "ro,nosuid,nodev,noexec" : inert, true, true);
    add("/dev", inert);
    for (const char* node : {"null", "zero", "full", "random", "urandom", "tty", "console", "pts"})
        rules.push_back({app.root + "/dev/" + node, "nosuid,noexec"});
    add("/dev/shm", "nosuid,nodev");
    add("/dev/mqueue", inert);
    for (const char* file : {"hostname", "hosts", "resolv.conf"})
        rules.push_back({app.root + "/etc/" + file, "ro,nosuid,nodev", false});
    for (std::size_t index = 0; index < app.volumes.size(); ++index) {
        const auto& volume = app.volumes[index];
        rules.push_back({app.root + volume_places[index], volume.read_only ? "ro,nosuid" : "nosuid", true,
                         plan.sources[volume.source].recursive});
    }
}

void add_app_with_journal(std::vector<MountRule>& rules, const Plan& plan, const AppPlan& app,
                          const std::vector<std::string>& volume_places)
{
    add_app(rules, plan, app, volume_places);
    rules.push_back({app.root + "/run/systemd/journal", "ro,nosuid,nodev,noexec"});
}

bool has_options(const MountLine& mount, const MountRule& rule)
{
    if (rule.options.empty())
        return true;
    return std::ranges::all_of(text::split(rule.options, ','), [&](const auto& option) {
        return std::ranges::find(mount.options, option) != mount.options.end();
    });
}

bool covers(const MountRule& rule, const std::string& place)
{
    return rule.anything_below ? is_at_or_below(place, rule.place) : place == rule.place;
}

} // namespace

std::vector<MountRule> mount_rules(const Plan& plan, const std::vector<std::vector<std::string>>& volume_places)
{
    std::vector<MountRule> rules{
        {"/", "ro,nosuid,nodev"},
        {"/run", "nosuid,nodev"},
        {"/tmp", "nosuid,nodev"},
        {"/var/log/journal", inert},
        {"/etc/machine-id", "ro"},
        {"/etc/passwd", "ro", false}, // when an app is not root
        {"/etc/group", "ro", false},
        {"/dev", "nosuid,noexec"},
        {"/dev/pts", "nosuid,noexec"},
        {"/dev/console", "nosuid,noexec"},
        {"/dev/shm", "nosuid,nodev"},
        {"/proc", inert},
        {"/proc/sys", "ro", plan.mask_paths},
        {"/sys", inert},
        {"/sys/fs/cgroup", inert},
    };
    if (plan.in_user_namespace) {
        for (const char* node : {"null", "zero", "full", "random", "urandom", "tty"})
            rules.push_back({std::string{"/dev/"} + node, "nosuid,noexec"});
        if (!plan.new_network) // the host's, with what is mounted there
            rules.push_back({"/sys", inert, true, true});
    }
    for (std::size_t index = 0; index < plan.apps.size(); ++index)
        add_app_with_journal(rules, plan, plan.apps[index], volume_places[index]);
    return rules;
}

std::vector<MountRule> mount_rules_without_init(const Plan& plan,
                                                const std::vector<std::vector<std::string>>& volume_places)
{
    std::vector<MountRule> rules;
    for (std::size_t index = 0; index < plan.apps.size(); ++index)
        add_app(rules, plan, plan.apps[index], volume_places[index]);
    return rules;
}

namespace
{

void check(const std::vector<MountRule>& rules, const std::vector<MountLine>& mounts)
{
    for (const auto& mount : mounts)
        if (std::ranges::none_of(rules, [&](const auto& rule) { return covers(rule, mount.place); }))
            fail(Error::Kind::system, "there is a mount on {} that is not planned", text::quoted(mount.place));
    for (const auto& rule : rules) {
        bool found = false;
        for (const auto& mount : mounts) {
            if (mount.place != rule.place)
                continue;
            found = true;
            if (!has_options(mount, rule))
                fail(Error::Kind::system, "the mount on {} is not {}", text::quoted(mount.place), rule.options);
        }
        if (rule.required && !found)
            fail(Error::Kind::system, "there is no mount on {}", text::quoted(rule.place));
    }
}

} // namespace

void check_mounts(const std::vector<MountRule>& rules, std::string_view mountinfo)
{
    check(rules, parse(mountinfo));
}

void check_app_mounts(const Plan& plan, std::size_t app, const std::vector<std::string>& volume_places,
                      std::string_view mountinfo)
{
    std::vector<MountRule> rules;
    add_app_with_journal(rules, plan, plan.apps[app], volume_places);
    auto mounts = parse(mountinfo);
    std::erase_if(mounts, [&](const auto& mount) { return !is_at_or_below(mount.place, plan.apps[app].root); });
    check(rules, mounts);
}

} // namespace rocket::stage1

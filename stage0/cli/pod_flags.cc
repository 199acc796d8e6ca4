// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/pod_flags.hh"

#include <unistd.h>

#include "common/sys/sys.hh"
#include "stage0/cli/environment_file.hh"

namespace rocket::cli
{

namespace
{

using text::quoted;

// What is not a variable's name in a manifest, such as a shell's exported functions, stays outside.
model::Environment callers_environment()
{
    model::Environment environment;
    for (char** entry = environ; *entry; ++entry) {
        const std::string line = *entry;
        const auto equals = line.find('=');
        if (equals == std::string::npos)
            continue;
        try {
            model::check_environment_name(line.substr(0, equals));
        } catch (const Error&) {
            continue;
        }
        model::set(environment, line.substr(0, equals), line.substr(equals + 1));
    }
    return environment;
}

model::Volume parse_volume(const std::string& value)
{
    try {
        return model::Volume::parse(value);
    } catch (const Error& why) {
        fail(Error::Kind::usage, "invalid value in --volume flag {}: {}", quoted(value), why.innermost());
    }
}

} // namespace

void PodFlags::declare_environment(FlagSet& flags)
{
    flags.add("inherit-env", inherit_env, "inherit all environment variables not set by apps");
    flags.add_custom({"set-env", "environment variable to set for all apps: NAME=VALUE", Flag::Value::required, "[]",
                      "", [this](const std::string& value) {
                          const auto equals = value.find('=');
                          if (equals == 0 || equals == std::string::npos)
                              fail(Error::Kind::usage, "must be specified as key=value");
                          const auto name = value.substr(0, equals);
                          model::check_environment_name(name);
                          if (!set_env.emplace(name, value.substr(equals + 1)).second)
                              fail(Error::Kind::usage, "key {} already set", quoted(name));
                      }});
    flags.add_custom({"set-env-file", "file of environment variables to set for all apps: a NAME=VALUE per line",
                      Flag::Value::required, "[]", "",
                      [this](const std::string& value) { read_environment_file(value, env_file); }});
}

void PodFlags::declare(FlagSet& flags)
{
    app_args.declare(flags);
    flags.add_custom(
        {"volume",
         "volume to make available in the pod: NAME,kind=host,source=PATH[,readOnly=BOOL][,recursive=BOOL] "
         "or NAME,kind=empty[,mode=MODE][,uid=UID][,gid=GID]",
         Flag::Value::required, "[]", "",
         [this](const std::string& value) { volumes.push_back(parse_volume(value)); }});
    declare_volume_links(flags);
    flags.add_custom({"port", "ports to expose on the host: NAME:[HOSTIP:]HOSTPORT, IPv6 addresses in brackets",
                      Flag::Value::required, "[]", "",
                      [this](const std::string& value) { ports.push_back(model::ExposedPort::parse(value)); }});
    flags.add("sysctl", sysctl, "kernel parameter of the pod's namespaces, such as net.core.somaxconn: NAME=VALUE");
    declare_environment(flags);
    flags.add("pod-manifest", pod_manifest, "the path of a pod manifest that says what to run, instead of images");
    declare_pull_policy(flags);
    declare_common(flags);
}

void PodFlags::declare_sandbox(FlagSet& flags)
{
    declare_common(flags);
}

void PodFlags::declare_volume_links(FlagSet& flags)
{
    flags.add("follow-volume-links", follow_volume_links,
              "follow symbolic links in the sources of volumes: once, before the pod starts, and only those of root's "
              "and your own");
}

void PodFlags::declare_pull_policy(FlagSet& flags)
{
    flags.add("pull-policy", pull_policy, "when to pull an image: new, update or never");
    flags.add("store-only", store_only, "").deprecate("please use --pull-policy=never");
    flags.add("no-store", no_store, "").deprecate("please use --pull-policy=update");
}

void PodFlags::declare_common(FlagSet& flags)
{
    flags.add("no-overlay", no_overlay, "disable overlay filesystem: copy the images");
    flags.add("private-users", private_users, "run the pod in a user namespace: its users are nobody's on the host");
    flags.add("uuid-file-save", uuid_file_save, "write out pod UUID to specified file");
    stage1.declare(flags);
}

image::PullPolicy pull_policy(const PodFlags& flags)
{
    if (flags.store_only)
        return image::PullPolicy::never;
    return flags.no_store ? image::PullPolicy::update : image::parse_pull_policy(flags.pull_policy);
}

void check(const PodFlags& flags)
{
    if (flags.store_only && flags.no_store)
        fail(Error::Kind::usage, "both --store-only and --no-store specified");
    if (flags.private_users && !sys::stat_if_exists(AT_FDCWD, "/proc/self/uid_map"))
        fail(Error::Kind::unsupported,
             "--private-users is not supported, kernel compiled without user namespace support");
    const auto policy = pull_policy(flags);
    const auto& args = flags.app_args;
    if (flags.pod_manifest.empty()) {
        if (args.apps.empty())
            fail(Error::Kind::usage, "must provide at least one image or specify the pod manifest");
        check_mounts(args.mounts, flags.volumes);
        for (const auto& app : args.apps)
            check_mounts(app.mounts, flags.volumes);
        return;
    }
    if (!args.apps.empty() || !args.mounts.empty() || !flags.volumes.empty() || !flags.ports.empty() ||
        !flags.sysctl.empty() || flags.inherit_env || !flags.set_env.empty() || !flags.env_file.empty() ||
        policy != image::PullPolicy::fresh)
        fail(Error::Kind::usage, "conflicting flags set with --pod-manifest (see --help)");
}

pod::PodRequest request(const PodFlags& flags)
{
    pod::PodRequest request{.apps = flags.app_args.apps,
                            .volumes = flags.volumes,
                            .mounts = flags.app_args.mounts,
                            .ports = flags.ports,
                            .kernel_parameters = flags.sysctl};
    if (flags.inherit_env)
        request.inherited = callers_environment();
    request.file = flags.env_file;
    for (const auto& [name, value] : flags.set_env)
        request.set.push_back({.name = name, .value = value});
    return request;
}

} // namespace rocket::cli

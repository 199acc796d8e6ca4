// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/values.hh"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "common/model/ip_address.hh"
#include "common/model/time_span.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::quadlet
{

namespace
{

// The capabilities an app has unless it says otherwise (CAP-2).
constexpr std::array<std::string_view, 14> default_capabilities{
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_NET_BIND_SERVICE", "CAP_SETUID",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETFCAP",      "CAP_SYS_CHROOT"};

void check_absolute(const Entry& entry, const std::string& path)
{
    if (!path.starts_with('/') && !path.starts_with('%')) // a specifier may stand for a path
        refuse(entry, fmt::format("{} is not an absolute path", text::quoted(path)));
}

bool host_has_selinux()
{
    return ::access("/sys/fs/selinux/enforce", F_OK) == 0;
}

struct BindOptions {
    bool read_only = false;
    bool recursive = true;
};

void set_option(BindOptions& options, const std::string& word, const Entry& entry)
{
    if (word == "ro" || word == "readonly" || word == "ro=true" || word == "readonly=true")
        options.read_only = true;
    else if (word == "rw" || word == "ro=false" || word == "readonly=false" || word == "rw=true")
        options.read_only = false;
    else if (word == "bind")
        options.recursive = false;
    else if ((word == "z" || word == "Z") && host_has_selinux())
        refuse(entry, "relabelling for SELinux is not supported: label the directory with semanage-fcontext(8)");
    else if (word == "U")
        refuse(entry, "say whose the data is by User= and Group= in a .volume file");
    else if (word != "rbind" && word != "z" && word != "Z")
        refuse(entry, fmt::format("the option {} is not supported", text::quoted(word)));
}

// What is behind a source: the path of a directory or file, or a .volume file, which a name alone stands for, too.
std::string source_of(const Entry& entry, const std::string& source, std::vector<Reference>& references)
{
    if (source.starts_with('/') || source.starts_with('%'))
        return source;
    if (source.starts_with('.') || source.find('/') != std::string::npos)
        refuse(entry, fmt::format("{} is neither an absolute path nor the name of a volume", text::quoted(source)));
    const auto file = source.ends_with(".volume") ? source : source + ".volume";
    references.push_back({file, entry.place});
    return file; // the translator knows what its directory is called
}

VolumeFlags bind(const std::string& source, const std::string& target, const BindOptions& options,
                 const std::string& name)
{
    return {.volume =
                fmt::format("--volume={},kind=host,source={}{}{}", name, source,
                            options.read_only ? ",readOnly=true" : "", options.recursive ? "" : ",recursive=false"),
            .mount = fmt::format("--mount=volume={},target={}", name, target)};
}

VolumeFlags empty(const std::string& target, const std::string& mode, const std::string& name)
{
    return {.volume = fmt::format("--volume={},kind=empty{}", name, mode.empty() ? "" : ",mode=" + mode),
            .mount = fmt::format("--mount=volume={},target={}", name, target)};
}

} // namespace

VolumeFlags volume_flags(const Entry& entry, const std::string& name)
{
    auto parts = text::split(entry.value, ':');
    if (parts.size() == 1) {
        check_absolute(entry, parts[0]);
        return empty(parts[0], "", name);
    }
    if (parts.size() > 3 || parts[0].empty())
        refuse(entry, "a volume is [SOURCE:]TARGET[:OPTIONS]");
    check_absolute(entry, parts[1]);
    BindOptions options;
    if (parts.size() == 3)
        for (const auto& word : text::split(parts[2], ','))
            set_option(options, word, entry);
    std::vector<Reference> references;
    const auto source = source_of(entry, parts[0], references);
    auto flags = bind(source, parts[1], options, name);
    flags.references = std::move(references);
    return flags;
}

namespace
{

// Of a directory in the pod, which goes with it: its mode, and what holds for all of them.
void set_tmpfs_option(std::string& mode, const std::string& word, const Entry& entry)
{
    constexpr std::array<std::string_view, 3> given{"rw", "nosuid", "nodev"};
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals);
    if (key == "mode" || key == "tmpfs-mode")
        mode = equals == std::string::npos ? "" : word.substr(equals + 1);
    else if (key == "size" || key == "tmpfs-size")
        refuse(entry, "the directory lies on the disk of the pods, and has no size of its own");
    else if (std::ranges::find(given, std::string_view{word}) == given.end())
        refuse(entry, fmt::format("the option {} is not supported: the directory lies in the pod and goes with it",
                                  text::quoted(word)));
    if (!text::parse_octal(mode, 07777))
        refuse(entry, fmt::format("{} is not a mode", text::quoted(mode)));
}

} // namespace

VolumeFlags tmpfs_flags(const Entry& entry, const std::string& name)
{
    const auto colon = entry.value.find(':');
    const auto target = entry.value.substr(0, colon);
    check_absolute(entry, target);
    std::string mode = "1777";
    if (colon != std::string::npos)
        for (const auto& word : text::split(entry.value.substr(colon + 1), ','))
            set_tmpfs_option(mode, word, entry);
    return empty(target, mode, name);
}

VolumeFlags mount_flags(const Entry& entry, const std::string& name)
{
    std::string type, source, target, mode = "1777";
    std::vector<std::string> options;
    for (const auto& word : text::split(entry.value, ',')) {
        const auto equals = word.find('=');
        const auto key = word.substr(0, equals);
        const auto value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (key == "type")
            type = value;
        else if (key == "source" || key == "src")
            source = value;
        else if (key == "destination" || key == "dst" || key == "target")
            target = value;
        else
            options.push_back(word);
    }
    check_absolute(entry, target);
    if (type == "tmpfs") {
        for (const auto& word : options)
            set_tmpfs_option(mode, word, entry);
        return empty(target, mode, name);
    }
    if ((type != "bind" && type != "volume") || source.empty())
        refuse(entry, "a mount is type=bind|volume,source=SOURCE,destination=TARGET, or type=tmpfs,destination=TARGET");
    BindOptions bound;
    for (const auto& word : options)
        set_option(bound, word, entry);
    std::vector<Reference> references;
    const auto path = source_of(entry, source, references);
    auto flags = bind(path, target, bound, name);
    flags.references = std::move(references);
    return flags;
}

VolumeFlags host_file(const std::string& source, const std::string& target, bool read_only, const std::string& name)
{
    return bind(source, target, {.read_only = read_only, .recursive = false}, name);
}

// [[IP:]HOST:]PORT[/PROTOCOL]; ports of converted images are called PORT-PROTOCOL (oci-mapping of EXPOSE).
std::string port_flag(const Entry& entry)
{
    auto rest = entry.value;
    std::string protocol = "tcp";
    if (const auto slash = rest.rfind('/'); slash != std::string::npos) {
        protocol = rest.substr(slash + 1);
        rest.erase(slash);
    }
    const auto colon = rest.rfind(':');
    if (colon == std::string::npos)
        refuse(entry, "name the host's port as well: [IP:]HOST-PORT:PORT");
    const auto inside = rest.substr(colon + 1);
    const auto outside = rest.substr(0, colon); // [IP:]HOST
    const auto first = inside.substr(0, inside.find('-'));
    if (!text::parse_decimal(first, 65535) || outside.empty() || outside.ends_with(':'))
        refuse(entry, "a published port is [IP:]HOST-PORT:PORT[/PROTOCOL]");
    return fmt::format("--port={}-{}:{}", first, protocol, outside.substr(0, outside.find('-')));
}

std::string hosts_flag(const Entry& entry)
{
    const auto colon = entry.value.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == entry.value.size())
        refuse(entry, "an entry is NAME:IP");
    return fmt::format("--hosts-entry={}={}", entry.value.substr(colon + 1), entry.value.substr(0, colon));
}

namespace
{

// CNI_ARGS for an address of one's own.
std::string address_arguments(const Entry& entry, const std::string& options)
{
    constexpr std::string_view key = "ip=";
    const auto address = options.starts_with(key) ? model::IpAddress::parse(options.substr(key.size())) : std::nullopt;
    if (!address)
        refuse(entry, "the only option of a network is ip=ADDRESS");
    return fmt::format(":IP={};IgnoreUnknown=1", address->str());
}

} // namespace

std::string network_flag(const std::vector<Entry>& networks, const Entry* ip)
{
    std::string list;
    for (const auto& entry : networks) {
        const auto colon = entry.value.find(':');
        const auto base = entry.value.substr(0, colon);
        if (base.ends_with(".container") || base == "slirp4netns" || base == "pasta")
            refuse(entry, "only none, host, default, networks of net.d and NAME.network are supported");
        const auto name = base == "bridge" || base == "private" ? "default" : base;
        list += (list.empty() ? "" : ",") + name;
        if (colon != std::string::npos)
            list += address_arguments(entry, entry.value.substr(colon + 1));
    }
    if (ip == nullptr)
        return list.empty() ? "" : "--net=" + list;
    if (networks.size() != 1 || list.find(':') != std::string::npos)
        refuse(*ip, "an address belongs to one network: say Network=NAME.network:ip=ADDRESS");
    return "--net=" + list + address_arguments(*ip, "ip=" + ip->value);
}

std::string capability_flag(const std::vector<std::string>& added, const std::vector<std::string>& dropped,
                            const Entry& entry)
{
    const auto full_name = [](const std::string& name) {
        std::string upper = name;
        std::ranges::transform(upper, upper.begin(),
                               [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        return upper.starts_with("CAP_") || upper == "ALL" ? upper : "CAP_" + upper;
    };
    std::set<std::string> kept{default_capabilities.begin(), default_capabilities.end()};
    for (const auto& name : dropped)
        if (full_name(name) == "ALL")
            kept.clear();
        else
            kept.erase(full_name(name));
    for (const auto& name : added) {
        if (full_name(name) == "ALL")
            refuse(entry, "name the capabilities that the app needs");
        kept.insert(full_name(name));
    }
    if (kept.empty()) // a set that is retained has to have something in it
        return fmt::format("--caps-remove={}", fmt::join(default_capabilities, ","));
    return fmt::format("--caps-retain={}", fmt::join(kept, ","));
}

Pull pull_policy(const Entry& entry)
{
    static const std::map<std::string_view, Pull> policies{
        {"always", Pull::always}, {"newer", Pull::newer}, {"missing", Pull::missing}, {"never", Pull::never}};
    const auto policy = policies.find(entry.value);
    if (policy == policies.end())
        refuse(entry, "the policies are always, missing, never and newer");
    return policy->second;
}

std::string_view fetch_policy(Pull pull)
{
    return pull == Pull::never ? "never" : pull == Pull::missing ? "new" : "update";
}

std::string retry_flag(const Entry& entry)
{
    if (entry.key == "RetryDelay") {
        try {
            model::parse_time_span(entry.value);
        } catch (const Error& error) {
            refuse(entry, error.innermost());
        }
        return "--retry-delay=" + entry.value;
    }
    if (constexpr std::uint64_t most = 100; !text::parse_decimal(entry.value, most))
        refuse(entry, "say how many times, up to 100");
    return "--retry=" + entry.value;
}

std::string image_reference(const std::string& image)
{
    constexpr std::string_view appc = "aci:";
    if (image.starts_with(appc)) // an App Container image by its name
        return image.substr(appc.size());
    const auto colon = image.find(':');
    const bool has_scheme =
        colon != std::string::npos && (image.substr(colon).starts_with("://") || image.starts_with("oci:") ||
                                       image.starts_with("oci-archive:") || image.starts_with("docker-archive:"));
    if (has_scheme || image.starts_with('/') || image.starts_with("sha512-"))
        return image;
    return "docker://" + image;
}

std::string volume_directory(const std::string& file, const Entry* name)
{
    const auto stem = name != nullptr ? name->value : file.substr(0, file.rfind('.'));
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || std::strchr("-_.@%", c) != nullptr; };
    if (stem.empty() || stem.starts_with('.') || !std::ranges::all_of(stem, is_plain))
        fail(Error::Kind::usage, "{}: {} cannot be the name of a volume", name != nullptr ? name->place : file,
             text::quoted(stem));
    return "/var/lib/rocket-volumes/" + stem;
}

} // namespace rocket::quadlet

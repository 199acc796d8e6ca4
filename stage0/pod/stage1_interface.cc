// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/stage1_interface.hh"

#include <algorithm>
#include <iterator>

#include "common/model/image_manifest.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

struct Addition {
    std::string_view flag;
    int version;
    bool may_be_dropped;
};

constexpr Addition additions[] = {
    {"--hostname", 2, true},       {"--disable-capabilities-restriction", 3, false},
    {"--disable-paths", 3, false}, {"--disable-seccomp", 3, false},
    {"--dns-conf-mode", 4, true},  {"--ipc", 6, true},
    {"--mds-register", 7, false},  {"--register", 7, true},
};

bool is_default(std::string_view argument)
{
    return argument == "--ipc=auto";
}

} // namespace

int interface_version(std::string_view manifest_text)
{
    const auto manifest = model::ImageManifest::parse(manifest_text);
    const auto* value = model::find(manifest.annotations, "coreos.com/rkt/stage1/interface-version");
    if (value == nullptr)
        return 1;
    const auto version = text::parse_decimal(*value, INT32_MAX);
    if (!version || *version == 0)
        fail(Error::Kind::corrupt, "the stage1 of this pod has interface version {}", text::quoted(*value));
    return static_cast<int>(*version);
}

std::vector<std::string> understood(std::vector<std::string> arguments, int version,
                                    const std::function<void(const std::string&)>& warn)
{
    std::vector<std::string> kept;
    for (auto& argument : arguments) {
        const std::string_view flag = std::string_view{argument}.substr(0, argument.find('='));
        const auto* const known = std::find_if(std::begin(additions), std::end(additions),
                                               [&](const Addition& addition) { return addition.flag == flag; });
        if (known == std::end(additions) || known->version <= version) {
            kept.push_back(std::move(argument));
            continue;
        }
        if (is_default(argument))
            continue;
        const auto problem = fmt::format("{} needs a stage1 of interface version {}, and this one has version {}", flag,
                                         known->version, version);
        if (!known->may_be_dropped)
            throw Error{Error::Kind::unsupported, problem,
                        fmt::format("choose another stage1, or do without {}", flag)};
        warn(problem + ": it is left out");
    }
    return kept;
}

} // namespace rocket::pod

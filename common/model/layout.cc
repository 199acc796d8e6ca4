// SPDX-License-Identifier: Apache-2.0
#include "common/model/layout.hh"

#include <fmt/format.h>

namespace rocket::model
{

std::string_view directory_name(PodStage stage) noexcept
{
    switch (stage) {
    case PodStage::embryo:
        return "embryo";
    case PodStage::prepare:
        return "prepare";
    case PodStage::prepared:
        return "prepared";
    case PodStage::run:
        return "run";
    case PodStage::exited_garbage:
        return "exited-garbage";
    case PodStage::garbage:
        return "garbage";
    }
    return {};
}

std::optional<PodStage> stage_of_directory(std::string_view name) noexcept
{
    for (const auto stage : pod_stages)
        if (directory_name(stage) == name)
            return stage;
    return std::nullopt;
}

namespace pod_dir
{
std::string app(const AppName& name)
{
    return "apps/" + name.str();
}
std::string app_manifest(const AppName& name)
{
    return app(name) + "/manifest";
}
std::string app_upper(const AppName& name)
{
    return app(name) + "/upper";
}
std::string app_work(const AppName& name)
{
    return app(name) + "/work";
}
std::string app_rootfs(const AppName& name)
{
    return app(name) + "/rootfs";
}
std::string app_spec(const AppName& name)
{
    return app(name) + "/spec.json";
}
std::string volume(const VolumeName& name)
{
    return "volumes/" + name.str();
}
std::string volume(const AppName& app_name, const VolumeName& name)
{
    return volume(app_name) + "." + name.str(); // no name has a dot in it
}
std::string app_status(const AppName& name)
{
    return "status/" + name.str();
}
std::string app_created(const AppName& name)
{
    return app_status(name) + ".created";
}
std::string app_started(const AppName& name)
{
    return app_status(name) + ".started";
}
std::string app_result(const AppName& name)
{
    return "status/" + name.str() + ".json";
}
} // namespace pod_dir

namespace in_pod
{
std::string app_rootfs(std::string_view name)
{
    return fmt::format("{}/app-{}", apps, name);
}
} // namespace in_pod

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/usage.hh"

#include <vector>

#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/lock.hh"
#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

using model::PodStage;

std::vector<model::ImageId> images_of(const std::string& pod)
{
    const auto content = file::read_if_exists(AT_FDCWD, pod + "/" + model::pod_dir::runtime);
    if (!content) // it is being prepared
        return {};
    const auto runtime = model::Runtime::parse(*content);
    std::vector<model::ImageId> images;
    for (const auto& app : runtime.apps)
        images.push_back(app.image);
    if (runtime.stage1_image)
        images.push_back(*runtime.stage1_image);
    return images;
}

// A pod in run/ has ended when nobody holds its lock; those in the stages before will still run.
bool is_alive(PodStage stage, const std::string& pod)
{
    if (stage == PodStage::run)
        return is_locked_exclusively(AT_FDCWD, pod.c_str());
    return stage == PodStage::prepare || stage == PodStage::prepared;
}

// First the lock: what an ended pod has in its files may be of no use to anybody, nor does it matter if it is broken.
std::vector<model::ImageId> images_of(const model::Layout& layout, PodStage stage, const std::string& name, Using which)
{
    const auto pod = layout.pods(stage) + "/" + name;
    bool alive = true;
    try {
        alive = is_alive(stage, pod);
        return alive || which == Using::kept ? images_of(pod) : std::vector<model::ImageId>{};
    } catch (const Error& error) {
        if (!alive || error.kind() == Error::Kind::not_found) // gone between listing and looking
            return {};
        throw Error{Error::Kind::busy,
                    fmt::format("pod {} may use any image: {}", text::quoted(name), error.innermost()),
                    "`rocket rm` the pod first"};
    }
}

} // namespace

std::map<model::ImageId, std::string> images_used_by_pods(const model::Layout& layout, Using which)
{
    std::map<model::ImageId, std::string> used;
    for (const auto stage : {PodStage::prepare, PodStage::prepared, PodStage::run, PodStage::exited_garbage})
        for (const auto& name : file::list_if_exists(AT_FDCWD, layout.pods(stage)).value_or(std::vector<std::string>{}))
            for (const auto& id : images_of(layout, stage, name, which))
                used.emplace(id, name);
    return used;
}

} // namespace rocket::store

// SPDX-License-Identifier: Apache-2.0
#include "stage0/api/describe.hh"

#include "common/sys/file.hh"

namespace rocket::api
{

namespace
{

constexpr int unknown = -1;

template <typename List>
void add(List& list, const std::string& key, const std::string& value)
{
    auto& pair = *list.Add();
    pair.set_key(key);
    pair.set_value(value);
}

void add_all(google::protobuf::RepeatedPtrField<v1alpha::KeyValue>& list,
             const std::vector<model::Property>& properties)
{
    for (const auto& property : properties)
        add(list, property.name.str(), property.value);
}

std::string version_of(const model::Labels& labels)
{
    const auto* version = model::find(labels, "version");
    return version != nullptr ? *version : "latest";
}

std::int64_t nanoseconds(const std::optional<pod::Time>& time)
{
    return time ? time->time_since_epoch().count() : 0;
}

v1alpha::AppState state_of(const std::string& name)
{
    return name == "running"  ? v1alpha::APP_STATE_RUNNING
           : name == "exited" ? v1alpha::APP_STATE_EXITED
                              : v1alpha::APP_STATE_UNDEFINED;
}

void set_image(const model::ImageReference& reference, v1alpha::Image& image)
{
    image.mutable_base_format()->set_type(v1alpha::IMAGE_TYPE_APPC);
    if (reference.id)
        image.set_id(reference.id->str());
    if (reference.name)
        image.set_name(reference.name->str());
    image.set_version(version_of(reference.labels));
    add_all(*image.mutable_labels(), reference.labels);
}

v1alpha::App describe(const pod::AppInfo& info)
{
    v1alpha::App app;
    app.set_name(info.app.name.str());
    set_image(info.app.image, *app.mutable_image());
    app.set_state(state_of(info.state));
    app.set_exit_code(info.result.status().value_or(unknown));
    add_all(*app.mutable_annotations(), info.app.annotations);
    return app;
}

v1alpha::Network describe(const model::AttachedNetwork& attached)
{
    v1alpha::Network network;
    network.set_name(attached.request.config.name);
    if (const auto* v4 = attached.result->find(false))
        network.set_ipv4(v4->address);
    if (const auto* v6 = attached.result->find(true))
        network.set_ipv6(v6->address);
    return network;
}

// Below the mount of cgroup2, of a pod that runs.
std::string cgroup_of(const pod::Pod& pod)
{
    constexpr std::size_t limit = 4096;
    auto group = file::read_if_exists(pod.fd(), model::pod_dir::subcgroup, limit).value_or("");
    if (group.ends_with('\n'))
        group.pop_back();
    return group.empty() || group.starts_with('/') ? group : "/" + group;
}

} // namespace

v1alpha::PodState state_of(pod::State state) noexcept
{
    switch (state) {
    case pod::State::embryo:
        return v1alpha::POD_STATE_EMBRYO;
    case pod::State::preparing:
        return v1alpha::POD_STATE_PREPARING;
    case pod::State::aborted_prepare:
        return v1alpha::POD_STATE_ABORTED_PREPARE;
    case pod::State::prepared:
        return v1alpha::POD_STATE_PREPARED;
    case pod::State::running:
        return v1alpha::POD_STATE_RUNNING;
    case pod::State::exited:
        return v1alpha::POD_STATE_EXITED;
    case pod::State::exited_deleting:
    case pod::State::deleting:
        return v1alpha::POD_STATE_DELETING;
    case pod::State::exited_garbage:
    case pod::State::garbage:
        return v1alpha::POD_STATE_GARBAGE;
    case pod::State::gone:
        break;
    }
    return v1alpha::POD_STATE_UNDEFINED;
}

v1alpha::Pod describe(const pod::Pod& pod, bool detail)
{
    const auto info = pod::read_info(pod, pod::Detail::full);
    v1alpha::Pod message;
    message.set_id(info.id.str());
    message.set_pid(static_cast<std::int32_t>(info.pid.value_or(unknown)));
    message.set_state(state_of(info.state));
    for (const auto& app : info.apps)
        *message.add_apps() = describe(app);
    for (const auto& network : info.networks)
        *message.add_networks() = describe(network);
    message.set_created_at(nanoseconds(info.created));
    message.set_started_at(nanoseconds(info.started));
    message.set_gc_marked_at(nanoseconds(info.marked));
    if (info.state == pod::State::running)
        message.set_cgroup(cgroup_of(pod));
    if (!info.apps.empty() || info.is_mutable) { // else there may be no manifest to be read (any more)
        const auto manifest = file::read(pod.fd(), model::pod_dir::manifest);
        add_all(*message.mutable_annotations(), model::PodManifest::parse(manifest).annotations);
        if (detail)
            message.set_manifest(manifest);
    }
    return message;
}

v1alpha::Image describe(const store::Store& store, const store::Entry& entry, bool detail)
{
    constexpr std::int64_t second = 1'000'000'000;
    const auto bytes = store.manifest_bytes(entry.id);
    const auto manifest = model::ImageManifest::parse(bytes);
    v1alpha::Image image;
    image.mutable_base_format()->set_type(v1alpha::IMAGE_TYPE_APPC);
    image.mutable_base_format()->set_version(manifest.ac_version.str());
    image.set_id(entry.id.str());
    image.set_name(entry.name.str());
    image.set_version(version_of(entry.labels));
    image.set_import_timestamp(entry.imported_ns / second);
    image.set_size(static_cast<std::int64_t>(entry.size));
    add_all(*image.mutable_annotations(), manifest.annotations);
    add_all(*image.mutable_labels(), entry.labels);
    if (detail)
        image.set_manifest(bytes);
    return image;
}

} // namespace rocket::api

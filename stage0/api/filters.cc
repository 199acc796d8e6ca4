// SPDX-License-Identifier: Apache-2.0
#include "stage0/api/filters.hh"

#include <algorithm>
#include <string>
#include <string_view>

namespace rocket::api
{

namespace
{

using Texts = google::protobuf::RepeatedPtrField<std::string>;
using Pairs = google::protobuf::RepeatedPtrField<v1alpha::KeyValue>;

bool has(const Texts& list, const std::string& text)
{
    return std::ranges::find(list, text) != list.end();
}

bool is_one_of(const std::string& text, const Texts& wanted)
{
    return wanted.empty() || has(wanted, text);
}

template <typename List, typename Name>
bool has_all(const List& list, const Texts& wanted, Name name)
{
    return std::ranges::all_of(wanted, [&](const std::string& text) {
        return std::ranges::any_of(list, [&](const auto& each) { return name(each) == text; });
    });
}

bool has_all(const Pairs& list, const Pairs& wanted)
{
    return std::ranges::all_of(wanted, [&](const auto& pair) {
        return std::ranges::any_of(
            list, [&](const auto& each) { return each.key() == pair.key() && each.value() == pair.value(); });
    });
}

// The pod's group, or one below it: "/a" is not above "/ab".
bool is_within(std::string_view group, std::string_view of_pod)
{
    return !of_pod.empty() && group.starts_with(of_pod) &&
           (group.size() == of_pod.size() || group[of_pod.size()] == '/');
}

bool holds(const v1alpha::PodFilter& filter, const v1alpha::Pod& pod)
{
    const auto below = [&](const std::string& group) { return is_within(group, pod.cgroup()); };
    return is_one_of(pod.id(), filter.ids()) &&
           (filter.states().empty() || std::ranges::find(filter.states(), pod.state()) != filter.states().end()) &&
           has_all(pod.apps(), filter.app_names(), [](const auto& app) { return app.name(); }) &&
           has_all(pod.apps(), filter.image_ids(), [](const auto& app) { return app.image().id(); }) &&
           has_all(pod.networks(), filter.network_names(), [](const auto& network) { return network.name(); }) &&
           has_all(pod.annotations(), filter.annotations()) && is_one_of(pod.cgroup(), filter.cgroups()) &&
           (filter.pod_sub_cgroups().empty() || std::ranges::any_of(filter.pod_sub_cgroups(), below));
}

std::string_view last_component(std::string_view name)
{
    return name.substr(name.rfind('/') + 1); // npos + 1 is 0
}

bool holds(const v1alpha::ImageFilter& filter, const v1alpha::Image& image)
{
    const auto& name = image.name();
    const auto any = [](const Texts& list, auto fits) { return list.empty() || std::ranges::any_of(list, fits); };
    return is_one_of(image.id(), filter.ids()) && is_one_of(name, filter.full_names()) &&
           any(filter.prefixes(), [&](const std::string& prefix) { return name.starts_with(prefix); }) &&
           any(filter.base_names(), [&](const std::string& base) { return last_component(name) == base; }) &&
           any(filter.keywords(), [&](const std::string& word) { return name.find(word) != std::string::npos; }) &&
           has_all(image.labels(), filter.labels()) && has_all(image.annotations(), filter.annotations()) &&
           (filter.imported_after() <= 0 || image.import_timestamp() > filter.imported_after()) &&
           (filter.imported_before() <= 0 || image.import_timestamp() < filter.imported_before());
}

template <typename Thing, typename Filter>
bool any_holds(const Thing& thing, const Filters<Filter>& filters)
{
    return filters.empty() || std::ranges::any_of(filters, [&](const Filter& filter) { return holds(filter, thing); });
}

} // namespace

bool is_wanted(const v1alpha::Pod& pod, const Filters<v1alpha::PodFilter>& filters)
{
    return any_holds(pod, filters);
}

bool is_wanted(const v1alpha::Image& image, const Filters<v1alpha::ImageFilter>& filters)
{
    return any_holds(image, filters);
}

bool is_wanted(const v1alpha::Event& event, const v1alpha::EventFilter& filter)
{
    const auto& types = filter.types();
    return (types.empty() || std::ranges::find(types, event.type()) != types.end()) &&
           is_one_of(event.id(), filter.ids()) && is_one_of(event.from(), filter.names()) &&
           (filter.since_time() <= 0 || event.time() >= filter.since_time()) &&
           (filter.until_time() <= 0 || event.time() <= filter.until_time());
}

} // namespace rocket::api

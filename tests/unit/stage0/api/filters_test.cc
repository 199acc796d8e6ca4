// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "stage0/api/filters.hh"

using namespace rocket::api;

namespace
{

v1alpha::Pod a_pod()
{
    v1alpha::Pod pod;
    pod.set_id("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    pod.set_state(v1alpha::POD_STATE_RUNNING);
    pod.set_cgroup("/machine.slice/pod");
    for (const char* name : {"web", "db"}) {
        auto& app = *pod.add_apps();
        app.set_name(name);
        app.mutable_image()->set_id(std::string{"sha512-"} + name);
    }
    pod.add_networks()->set_name("default");
    return pod;
}

v1alpha::Image an_image()
{
    v1alpha::Image image;
    image.set_id("sha512-1");
    image.set_name("example.com/tools/web");
    image.set_import_timestamp(100);
    auto& label = *image.add_labels();
    label.set_key("os");
    label.set_value("linux");
    return image;
}

template <typename Filter, typename Thing>
bool holds(const Thing& thing, void (*set)(Filter&))
{
    Filters<Filter> filters;
    set(*filters.Add());
    return is_wanted(thing, filters);
}

bool pod_with(void (*set)(v1alpha::PodFilter&))
{
    return holds(a_pod(), set);
}

bool image_with(void (*set)(v1alpha::ImageFilter&))
{
    return holds(an_image(), set);
}

} // namespace

TEST_CASE("filters of pods: all of names, one of ids, states and groups (cli 10.2)")
{
    CHECK(is_wanted(a_pod(), Filters<v1alpha::PodFilter>{}));
    CHECK(pod_with([](auto&) {}));
    CHECK(pod_with([](auto& filter) { filter.add_app_names("web"); }));
    CHECK_FALSE(pod_with([](auto& filter) {
        filter.add_app_names("web");
        filter.add_app_names("none");
    }));
    CHECK(pod_with([](auto& filter) {
        filter.add_states(v1alpha::POD_STATE_EXITED);
        filter.add_states(v1alpha::POD_STATE_RUNNING);
        filter.add_image_ids("sha512-db");
        filter.add_network_names("default");
    }));
    CHECK_FALSE(pod_with([](auto& filter) { // both would have to hold
        filter.add_states(v1alpha::POD_STATE_RUNNING);
        filter.add_network_names("other");
    }));
    CHECK_FALSE(pod_with([](auto& filter) { filter.add_ids("6ba7b810"); }));
    CHECK_FALSE(pod_with([](auto& filter) { filter.add_annotations()->set_key("any"); }));
}

TEST_CASE("filters of pods: whose group is that of a pod, or below it")
{
    CHECK(pod_with([](auto& filter) { filter.add_cgroups("/machine.slice/pod"); }));
    CHECK_FALSE(pod_with([](auto& filter) { filter.add_cgroups("/machine.slice"); }));
    CHECK(pod_with([](auto& filter) { filter.add_pod_sub_cgroups("/machine.slice/pod"); }));
    CHECK(pod_with([](auto& filter) { filter.add_pod_sub_cgroups("/machine.slice/pod/system.slice/app"); }));
    CHECK_FALSE(pod_with([](auto& filter) { filter.add_pod_sub_cgroups("/machine.slice/pod2"); }));
    auto ended = a_pod();
    ended.clear_cgroup();
    CHECK_FALSE(holds<v1alpha::PodFilter>(ended, [](auto& filter) { filter.add_pod_sub_cgroups("/any"); }));
}

TEST_CASE("several filters: one has to hold")
{
    Filters<v1alpha::PodFilter> filters;
    filters.Add()->add_app_names("none");
    CHECK_FALSE(is_wanted(a_pod(), filters));
    filters.Add()->add_app_names("db");
    CHECK(is_wanted(a_pod(), filters));
}

TEST_CASE("filters of images")
{
    CHECK(image_with([](auto& filter) { filter.add_prefixes("example.com/"); }));
    CHECK(image_with([](auto& filter) { filter.add_base_names("web"); }));
    CHECK_FALSE(image_with([](auto& filter) { filter.add_base_names("tools"); }));
    CHECK(image_with([](auto& filter) { filter.add_keywords("tool"); }));
    CHECK_FALSE(image_with([](auto& filter) { filter.add_full_names("example.com/tools"); }));
    CHECK(image_with([](auto& filter) {
        auto& label = *filter.add_labels();
        label.set_key("os");
        label.set_value("linux");
        filter.set_imported_after(99);
        filter.set_imported_before(101);
    }));
    CHECK_FALSE(image_with([](auto& filter) { filter.set_imported_after(100); })); // exclusive
    CHECK_FALSE(image_with([](auto& filter) { filter.set_imported_before(100); }));
}

TEST_CASE("filters of events")
{
    v1alpha::Event event;
    event.set_type(v1alpha::EVENT_TYPE_APP_EXITED);
    event.set_from("web");
    event.set_time(100);
    v1alpha::EventFilter filter;
    CHECK(is_wanted(event, filter));
    filter.add_types(v1alpha::EVENT_TYPE_POD_EXITED);
    CHECK_FALSE(is_wanted(event, filter));
    filter.add_types(v1alpha::EVENT_TYPE_APP_EXITED);
    filter.add_names("web");
    filter.set_until_time(100);
    CHECK(is_wanted(event, filter));
    filter.set_since_time(101);
    CHECK_FALSE(is_wanted(event, filter));
}

// SPDX-License-Identifier: Apache-2.0
// Whether something is what a request asks for (cli 10.2): one of its filters holds, and a filter holds if all that is
// set in it does. No filter: everything is. Pure.
#pragma once

#include <v1alpha.pb.h>

namespace rocket::api
{

template <typename Filter>
using Filters = google::protobuf::RepeatedPtrField<Filter>;

bool is_wanted(const v1alpha::Pod& pod, const Filters<v1alpha::PodFilter>& filters);
bool is_wanted(const v1alpha::Image& image, const Filters<v1alpha::ImageFilter>& filters);
bool is_wanted(const v1alpha::Event& event, const v1alpha::EventFilter& filter);

} // namespace rocket::api

// SPDX-License-Identifier: Apache-2.0
// All names and ids: types without a public constructor, whose `static T parse(std::string_view)` checks once, so that
// nobody downstream has to check again. Each has str(), a total order, and a hash.
#pragma once

#include "common/model/ac_name.hh"    // AcIdentifier, AcName = AppName = VolumeName = PortName
#include "common/model/ac_version.hh" // AcVersion
#include "common/model/image_id.hh"   // ImageId, ImageIdPrefix
#include "common/model/pod_id.hh"     // PodId, PodIdPrefix

// SPDX-License-Identifier: Apache-2.0
// Where on the host those who make networks and those who use them meet.
#pragma once

namespace rocket::model
{

// Configurations of networks that units have made of .network files; `rocket run` reads whatever is there.
inline constexpr const char* made_networks = "/run/rocket/net.d";

} // namespace rocket::model

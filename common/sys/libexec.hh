// SPDX-License-Identifier: Apache-2.0
// Where Rocket's own executables and stage1 images are: <prefix>/lib/rocket, or, to run from a build tree, the
// directory named by the environment variable ROCKET_LIBEXEC. A setuid or setgid program does not listen to it.
#pragma once

#include <string>

namespace rocket
{

std::string libexec_path(const std::string& name); // absolute

} // namespace rocket

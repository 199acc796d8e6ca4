// SPDX-License-Identifier: Apache-2.0
#include "common/sys/libexec.hh"

#include <cstdlib>

namespace rocket
{

std::string libexec_path(const std::string& name)
{
    const char* wanted = ::secure_getenv("ROCKET_LIBEXEC");
    const std::string directory = wanted != nullptr && wanted[0] == '/' ? wanted : ROCKET_LIBEXEC_DIR;
    return directory + "/" + name;
}

} // namespace rocket

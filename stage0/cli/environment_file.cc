// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/environment_file.hh"

#include "common/sys/error.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::cli
{

using text::quoted;

void read_environment_file(const std::string& path, model::Environment& environment)
{
    for (const auto& line : text::split(file::read(AT_FDCWD, path), '\n')) {
        if (line.empty() || line[0] == '#' || line[0] == ';')
            continue;
        const auto equals = line.find('=');
        if (equals == 0 || equals == std::string::npos)
            fail(Error::Kind::usage, "environment variable must be specified as name=value (file {})", quoted(path));
        const auto name = line.substr(0, equals);
        model::check_environment_name(name);
        if (model::find(environment, name))
            fail(Error::Kind::usage, "environment variable {} already set (file {})", quoted(name), quoted(path));
        environment.push_back({.name = name, .value = line.substr(equals + 1)});
    }
}

} // namespace rocket::cli

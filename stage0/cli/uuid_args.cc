// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/uuid_args.hh"

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::cli
{

void declare_uuid_file(FlagSet& flags, std::string& field)
{
    flags.add("uuid-file", field, "read pod UUID from file instead of argument");
}

std::string read_uuid_file(const std::string& path)
{
    constexpr std::size_t limit = 4096;
    return in_context("unable to resolve UUID from file",
                      [&] { return std::string{text::trim(file::read(AT_FDCWD, path, limit))}; });
}

std::vector<std::string> uuids_of(const Invocation& invocation, const std::string& uuid_file)
{
    if (uuid_file.empty() == invocation.args.empty())
        throw UsageRequested{};
    return uuid_file.empty() ? invocation.args : std::vector<std::string>{read_uuid_file(uuid_file)};
}

} // namespace rocket::cli

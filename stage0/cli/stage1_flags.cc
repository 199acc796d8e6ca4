// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/stage1_flags.hh"

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::cli
{

namespace
{

struct Choice {
    Stage1Flags::Kind kind;
    const char* name;
    const char* help;
};

constexpr Choice choices[] = {
    {Stage1Flags::Kind::url, "stage1-url", "URL of the stage1 image to use"},
    {Stage1Flags::Kind::path, "stage1-path",
     "path of the stage1 image to use: an ACI, or a directory with manifest and rootfs"},
    {Stage1Flags::Kind::name, "stage1-name", "name of the stage1 image to use, such as coreos.com/rkt/stage1-fly"},
    {Stage1Flags::Kind::hash, "stage1-hash", "image ID of the stage1 image to use, which is in the store"},
    {Stage1Flags::Kind::from_dir, "stage1-from-dir",
     "file name of the stage1 image to use, in the stage1 images directory: systemd, fly"},
};

} // namespace

void Stage1Flags::declare(FlagSet& flags)
{
    for (const auto& choice : choices)
        flags.add_custom(
            {choice.name, choice.help, Flag::Value::required, "\"\"", "", [this, &choice](const std::string& given) {
                 const auto flag = std::string{"--"} + choice.name;
                 if (used_ == flag)
                     fail(Error::Kind::usage, "{} already used", flag);
                 if (!used_.empty())
                     fail(Error::Kind::usage, "flags {} and {} are mutually exclusive", used_, flag);
                 if (given.empty())
                     fail(Error::Kind::usage, "{} needs a value", flag);
                 used_ = flag;
                 kind = choice.kind;
                 value = given;
             }});
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
// From flags and configuration to the stage1 a pod will run on (cli 5). What a flag names is that or an error; without
// one there is an order of places to look. Errors are shown as "failed to fetch stage1 image": cause.
#pragma once

#include "stage0/cli/context.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/stage1_flags.hh"
#include "stage0/pod/stage1_image.hh"

namespace rocket::cli
{

pod::Stage1Image choose_stage1(const Stage1Flags& flags, const Context& context, ImageSource& source);

} // namespace rocket::cli

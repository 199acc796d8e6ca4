// SPDX-License-Identifier: Apache-2.0
// Where the sources of images keep what is not an image yet, or tells where one came from; and a name for what is
// fetched, of its lock, its partial download and its record, so that any URL or path fits in a file name.
#pragma once

#include <string>
#include <string_view>

#include "common/model/layout.hh"
#include "common/sys/fd.hh"

namespace rocket::image
{

std::string key_of(std::string_view what); // 32 hex digits
// Root's own in DATA/cas, those of the group's members in DATA/cas/members, which they share:
std::string partial_dir(const model::Layout& layout); // .../partial: downloads to be gone on with
std::string remote_dir(const model::Layout& layout);  // .../remote: which image a URL led to
// A directory in one of them, or one of these two, made if it is missing: nobody but root writes to root's.
Fd open_own(int parent, const std::string& path);
std::string lock_path(const model::Layout& layout, const std::string& key);

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
// Files that commands write for the user, such as exported images.
#pragma once

#include <functional>
#include <string>

namespace rocket::cli
{

// Has `write` fill a file of mode 0644 that gets its name, and is on disk, when it is whole; nothing is left of it when
// anything throws. Without `overwrite` an existing file stays, and `exists` is the error.
void write_new_file(const std::string& path, bool overwrite, const std::string& exists,
                    const std::function<void(int file)>& write);

} // namespace rocket::cli

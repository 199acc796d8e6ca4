// SPDX-License-Identifier: Apache-2.0
// Files of our own (not of images): read whole, or replaced so that a reader, and the disk after a power cut, sees
// the old content or the new one (R13).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::file
{

// Regular files only: a FIFO or a device in the way is an error, never a wait. Kind::corrupt beyond `limit` bytes.
std::string read(int dir, const std::string& path, std::size_t limit = 16U << 20U);
std::optional<std::string> read_if_exists(int dir, const std::string& path, std::size_t limit = 16U << 20U);

// The names in a directory without "." and "..", in byte order.
std::vector<std::string> list(int dir, const std::string& path);
std::optional<std::vector<std::string>> list_if_exists(int dir, const std::string& path);

// Write to a temporary name, fsync, rename, fsync the directory. The mode is exact, whatever the umask.
void write_atomic(int dir, const std::string& name, std::string_view content, mode_t mode = 0644);
// The same without the disk's confirmation: atomic for readers and after SIGKILL, not after a power cut. For state
// that does not survive a reboot anyhow.
void write_volatile(int dir, const std::string& name, std::string_view content, mode_t mode = 0644);
// A new file with this content, on disk; no rename: for files in a directory that is itself published by a rename.
void write_new(int dir, const std::string& name, std::string_view content, mode_t mode = 0644);

} // namespace rocket::file

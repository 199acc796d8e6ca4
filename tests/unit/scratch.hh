// SPDX-License-Identifier: Apache-2.0
// A directory that lives as long as the test case.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/sys/remove.hh"
#include "common/sys/sys.hh"

class Scratch
{
public:
    Scratch()
    {
        std::string pattern = std::filesystem::temp_directory_path() / "rocket-test-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr)
            throw rocket::system_error(errno, "making a scratch directory");
        path_ = pattern;
        fd_ = rocket::sys::open(AT_FDCWD, path_, O_RDONLY | O_DIRECTORY);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch()
    {
        try {
            const auto parent =
                rocket::sys::open(AT_FDCWD, std::filesystem::temp_directory_path(), O_PATH | O_DIRECTORY);
            rocket::remove_tree(parent.get(),
                                std::filesystem::path{path_}.filename()); // /tmp may be a mount of its own
        } catch (const rocket::Error&) { // a test that failed may leave a mount; the test says so already
        }
    }

    const std::string& path() const { return path_; }
    int fd() const { return fd_.get(); }
    std::vector<std::string> names() const { return names_in(path_); }

    static std::vector<std::string> names_in(const std::string& path)
    {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator{path})
            names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

private:
    std::string path_;
    rocket::Fd fd_;
};

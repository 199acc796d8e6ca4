// SPDX-License-Identifier: Apache-2.0
// A directory for the user that a command fills under a name of its own beside it, and that gets its name in one step
// when it is whole; before that, nobody takes half a tree for one, and what was there stays there.
#pragma once

#include <string>

#include "common/sys/fd.hh"

namespace rocket::cli
{

class OutputDirectory
{
public:
    // Kind::usage if it is there already (and need not be overwritten), or is "/".
    OutputDirectory(const std::string& path, bool overwrite);
    OutputDirectory(const OutputDirectory&) = delete;
    OutputDirectory& operator=(const OutputDirectory&) = delete;
    ~OutputDirectory(); // removes what was not published, and what was replaced

    // Where to make it, by whatever means.
    int parent() const noexcept { return parent_.get(); }
    const std::string& temporary() const noexcept { return temporary_; }
    Fd make() const; // the simple means: an empty directory, 0755

    void publish();

private:
    std::string path_; // as the user wrote it
    bool overwrite_;
    Fd parent_;
    std::string name_;
    std::string temporary_;
};

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
// What has come of a download, kept in DATA/cas/partial until it is complete and imported, so that the next command
// goes on where this one was interrupted. Belongs to whoever holds the lock on the URL. Abandoned ones are removed by
// the next download after a week.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/layout.hh"
#include "common/sys/fd.hh"
#include "stage0/fetch/http.hh"

namespace rocket::image
{

class Partial
{
public:
    // `key` names it, and its lock (lock_for()).
    Partial(const model::Layout& layout, std::string key);

    int fd() const noexcept { return data_.get(); }
    std::uint64_t size() const;
    // What proves that the bytes here and those of the server are of the same thing; empty: nothing does.
    const std::string& etag() const noexcept { return etag_; }
    // All bytes are here, and have not been used yet.
    bool is_complete() const;

    // A response begins: from the start, it replaces what is here.
    void begin(const fetch::Response& head);
    void remove();

    static void sweep(const model::Layout& layout);

private:
    void load();

    std::string key_;
    Fd all_; // DATA/cas/partial
    Fd dir_;
    Fd data_;
    std::string etag_;
    std::optional<std::uint64_t> total_;
};

} // namespace rocket::image

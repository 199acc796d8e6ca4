// SPDX-License-Identifier: Apache-2.0
// What the store remembers of a URL (cli 4.5): the image that came from there, and how to ask whether there is a newer
// one. One small file each in DATA/cas/remote, replaced as a whole; one that is missing or broken only costs a
// download.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/layout.hh"
#include "common/model/names.hh"
#include "stage0/fetch/http.hh"

namespace rocket::image
{

struct RemoteRecord {
    std::string url;
    model::ImageId id;
    std::string etag = {};       // as the server sent it
    std::int64_t expires_ns = 0; // since the epoch: until then nobody has to be asked

    bool is_fresh() const;
    bool operator==(const RemoteRecord&) const = default;
};

std::optional<RemoteRecord> read_remote(const model::Layout& layout, const std::string& url);
void write_remote(const model::Layout& layout, const RemoteRecord& record);

// Seconds for which Cache-Control lets us keep a response: read from left to right, the last directive wins; 0 without.
std::int64_t max_age(std::string_view cache_control);
// When the response, which has come just now, will have to be asked for again; nanoseconds since the epoch.
std::int64_t expiry_of(const fetch::Response& response);

} // namespace rocket::image

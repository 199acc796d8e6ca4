// SPDX-License-Identifier: Apache-2.0
// What a pod is answered (MDS-7..19): from its own directory and its images, read anew each time, so that apps that
// come and go are seen. Knows nothing of HTTP's wire.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/image_id.hh"
#include "stage0/metadata/keys.hh"

namespace rocket::metadata
{

// The form of a POST; nullopt: what came is no form.
using Form = std::optional<std::map<std::string, std::string>>;

struct Request {
    std::string method; // "GET"; HEAD is answered as GET, whoever sends the answer leaves out the body
    std::string path;   // behind /TOKEN/acMetadata/v1: "/pod/uuid"
    Form form = {};
};

struct Response {
    unsigned status = 200;
    std::string body = {};
    bool is_json = false;
    std::string allow = {}; // of 405
};

Response plain(unsigned status, std::string body); // an error, too, is text (MDS-19)

struct Asker {
    const model::PodId& id;
    int dir; // of the pod
    // As it came with the image (RT-1): the store's, where it stays as long as a pod of it runs.
    std::function<std::string(const model::ImageId& id)> image_manifest;
};
Response answer(const Request& request, const Asker& pod, const Keys& keys);

} // namespace rocket::metadata

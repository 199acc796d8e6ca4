// SPDX-License-Identifier: Apache-2.0
// What a user means by IMAGE (cli 4.1, 4.2): an image id or a prefix of one, a file, a name, or something to be fetched
// from elsewhere. Errors: Kind::usage.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "common/model/image_name.hh"
#include "common/model/names.hh"

namespace rocket::image
{

struct FileReference {
    std::string path;        // absolute
    bool hides_name = false; // the word could also be an image name, but a file is called so
};

struct UrlReference {
    std::string url; // http: or https:
};

struct DockerReference {
    std::string text; // as written: docker://... or docker:...
};

// An image in a local place of its own format: oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:TAG|:@N].
struct LocalReference {
    enum class Format { oci, oci_archive, docker_archive };
    Format format;
    std::string path; // as written
    std::string name; // empty: the only one there is
};

struct DistributionPoint {
    std::string text; // cimd:... (cli 4.3)
};

using Reference = std::variant<model::ImageIdPrefix, FileReference, model::ImageName, UrlReference, DockerReference,
                               LocalReference, DistributionPoint>;

// `is_file` says whether a path names an existing regular file.
Reference parse_reference(const std::string& text, const std::function<bool(const std::string&)>& is_file);
Reference parse_reference(const std::string& text); // asks the file system

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
// One repository in a registry that speaks the distribution protocol (oci.md chapters 2 and 3): documents and layers by
// digest, the first document by tag. Credentials go to the registry and to its token server, over https (or what the
// user allowed), and nowhere else; tokens are kept in memory only. Errors: HttpError, and Kind::not_found or
// Kind::untrusted with what the registry says.
#pragma once

#include "stage0/config/config.hh"
#include "stage0/fetch/http.hh"
#include "stage0/oci/content.hh"
#include "stage0/oci/docker_name.hh"

namespace rocket::oci
{

class Registry : public Content
{
public:
    // `scratch`: a directory for layers on their way, in files without a name.
    Registry(fetch::Client& client, DockerName name, std::optional<config::BasicAuth> login, std::string scratch);

    struct Named {
        std::string document;
        std::string media_type;
    };
    Named named(); // what the name means now; has the digest, if the name brings one

    std::string document(const Descriptor& descriptor, std::uint64_t limit) override;
    void layers(std::span<const LayerPlace> places, const OnLayer& done) override;

private:
    fetch::Request request(const std::string& path, std::uint64_t limit);
    fetch::Response get(const fetch::Request& request);
    void choose_scheme();
    bool authorize(const fetch::Response& refused);
    std::string token_from(const std::string& realm, const std::string& service, const std::string& scope);
    Bytes layer(const LayerPlace& place);
    fetch::Request layer_request(const LayerPlace& place, const Fd& output);
    [[noreturn]] void fail_refused(const fetch::Response& response) const;

    fetch::Client& client_;
    DockerName name_;
    std::optional<config::BasicAuth> login_;
    std::string scratch_;
    std::string base_; // https://host
    std::string authorization_;
};

} // namespace rocket::oci

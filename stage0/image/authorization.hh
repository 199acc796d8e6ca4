// SPDX-License-Identifier: Apache-2.0
// The headers that an "auth" entry of the configuration stands for (cli 3.2).
#pragma once

#include <string>
#include <string_view>

#include "stage0/config/config.hh"
#include "stage0/fetch/protocol.hh"
#include "stage0/fetch/url.hh"

namespace rocket::image
{

// For a request of this method, without a body, that is sent now.
fetch::Headers authorization(const config::Credentials& credentials, const std::string& method, const fetch::Url& url);

fetch::Headers basic_authorization(const config::BasicAuth& auth);

// AWS Signature Version 4 for service s3; `when` as in 20130524T000000Z.
fetch::Headers aws_authorization(const config::AwsAuth& auth, const std::string& method, const fetch::Url& url,
                                 const std::string& when);
// Where the user named no region: what the name of the host says.
std::string aws_region_of(std::string_view host);

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
// An http or https URL, checked once (RFC 3986 with the parts that matter to who may be asked for what). No user name,
// no fragment, no blank or control character. Errors: Kind::usage.
#pragma once

#include <string>
#include <string_view>

namespace rocket::fetch
{

class Url
{
public:
    static Url parse(std::string_view text);
    // What a Location or a link in a document at this URL means.
    Url resolve(std::string_view reference) const;

    std::string str() const { return scheme_ + "://" + authority_ + target_; }
    const std::string& scheme() const noexcept { return scheme_; }       // "https" or "http"
    const std::string& authority() const noexcept { return authority_; } // host, and :port if it is written; lower case
    std::string host() const;                                            // [..] of IPv6 included
    std::string port() const;                                            // 443 and 80 if it is not written
    const std::string& target() const noexcept { return target_; }       // path and query, begins with /
    std::string path() const { return target_.substr(0, target_.find('?')); }
    bool is_secure() const noexcept { return scheme_ == "https"; }
    // Scheme, host and port are the same.
    bool same_origin(const Url& other) const;
    bool operator==(const Url&) const = default;

private:
    Url() = default;
    std::string scheme_;
    std::string authority_;
    std::string target_;
};

// For messages: what stands for the password in SCHEME://USER:PASSWORD@HOST/... is "***".
std::string without_password(std::string_view text);

} // namespace rocket::fetch

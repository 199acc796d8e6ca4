// SPDX-License-Identifier: Apache-2.0
// One repository on one host that speaks the distribution protocol: requests, the tokens and passwords they need
// (oci.md chapter 3), and what the host says when it refuses. A password goes to the host and to the token server it
// names, over https (or what the user allowed), and nowhere else; tokens are kept in memory, and only as long as they
// are good. Errors: HttpError, and Kind::not_found or Kind::untrusted with what the host says.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "stage0/fetch/http.hh"
#include "stage0/oci/login.hh"

namespace rocket::oci
{

class Endpoint
{
public:
    using Say = std::function<void(const std::string&)>;
    Endpoint(fetch::Client& client, const std::string& host, std::string repository, std::optional<Login> login,
             Say say);
    Endpoint(const Endpoint&) = delete; // its requests point to it
    Endpoint& operator=(const Endpoint&) = delete;

    fetch::Client& client() const noexcept { return client_; }
    const fetch::Url& base() const noexcept { return base_; }

    // Of something below /v2/REPOSITORY/.
    fetch::Request request(const std::string& path, std::uint64_t limit);
    // With a token that is still good, if one was needed so far; before requests that do not go through ask().
    void refresh();
    // Any status; where a token or a password is asked for, with that.
    fetch::Response ask(const fetch::Request& request);
    fetch::Response get(const fetch::Request& request); // 200, or an error
    [[noreturn]] void fail_refused(const fetch::Response& response) const;

private:
    // What a token is for.
    struct Grant {
        std::string realm;
        std::string service;
        std::string scope;
        auto operator<=>(const Grant&) const = default;
    };
    struct Token {
        std::string text;
        std::int64_t good_until = 0; // monotonic microseconds
    };

    void choose_scheme(const std::string& host);
    bool authorize(const fetch::Response& refused, std::optional<Grant>& tried);
    bool use_password();
    void use(const Grant& grant);
    Token token_for(const Grant& grant);
    fetch::Response ask_token_server(const fetch::Url& server, const Grant& grant);
    void pass_on_warnings(const fetch::Response& response);

    fetch::Client& client_;
    std::string repository_;
    std::optional<Login> login_;
    Say say_;
    fetch::Url base_; // https://host/
    std::string authorization_;
    std::map<Grant, Token> tokens_;
    std::optional<Grant> grant_; // that authorization_ is the token of
    std::set<std::string> warnings_;
};

} // namespace rocket::oci

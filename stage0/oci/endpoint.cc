// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/endpoint.hh"

#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/sys.hh"
#include "stage0/oci/challenge.hh"

namespace rocket::oci
{

namespace
{

constexpr std::uint64_t largest_answer = std::uint64_t{1} << 20; // of a token server
constexpr int attempts = 6;                                      // ODIST-10
constexpr std::int64_t shortest_life = 60;                       // seconds of a token (OAUTH-6)
constexpr std::int64_t longest_life = std::int64_t{24} * 3600;
constexpr std::int64_t before_its_end = 10; // it is replaced
constexpr std::int64_t second = 1'000'000;

std::string encoded(std::string_view text)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    std::string out;
    for (const char c : text)
        out += plain.find(c) != plain.npos ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
}

// "CODE: message" of the first error in the body (ODIST-9); empty if it is nothing of the kind.
std::string told(const std::string& body)
{
    try {
        const auto value = model::json::parse(body, "error");
        const auto* errors = value.find("errors");
        if (errors == nullptr || errors->array() == nullptr || errors->array()->empty())
            return {};
        const auto& first = errors->array()->front();
        const auto word = [&](const char* name) {
            const auto* text = first.find(name);
            return text != nullptr && text->string() != nullptr ? *text->string() : std::string{};
        };
        return text::printable(fmt::format("{}: {}", word("code"), word("message")).substr(0, 500));
    } catch (const Error&) { // any server may answer anything
        return {};
    }
}

std::vector<Challenge> challenges_of(const fetch::Response& refused)
{
    std::vector<Challenge> challenges;
    for (const auto& header : refused.headers)
        if (header.name == "www-authenticate")
            std::ranges::copy(parse_challenges(header.value), std::back_inserter(challenges));
    return challenges;
}

// service=S&scope=A&scope=B
std::string query_of(const std::string& service, const std::string& scope)
{
    std::string query;
    const auto add = [&](const char* key, const std::string& value) {
        query += fmt::format("{}{}={}", query.empty() ? "" : "&", key, encoded(value));
    };
    if (!service.empty())
        add("service", service);
    for (const auto& each : text::split(scope, ' '))
        if (!each.empty())
            add("scope", each);
    return query;
}

} // namespace

Endpoint::Endpoint(fetch::Client& client, const std::string& host, std::string repository, std::optional<Login> login,
                   Say say)
    : client_{client}, repository_{std::move(repository)}, login_{std::move(login)}, say_{std::move(say)},
      base_{fetch::Url::parse("https://" + host + "/")}
{
    if (client_.options().insecure_http)
        choose_scheme(host);
}

// http only where there is no https, and only because the user allowed it (OREF-8).
void Endpoint::choose_scheme(const std::string& host)
{
    try {
        client_.perform({.url = base_.str() + "v2/", .attempts = 1});
    } catch (const fetch::HttpError&) {
        base_ = fetch::Url::parse("http://" + host + "/");
    }
}

fetch::Request Endpoint::request(const std::string& path, std::uint64_t limit)
{
    fetch::Request request{.url = fmt::format("{}v2/{}/{}", base_.str(), repository_, path), .limit = limit};
    request.attempts = attempts;
    request.credentials = [this](const std::string&, const fetch::Url& url) {
        fetch::Headers headers;
        if (url.same_origin(base_) && !authorization_.empty())
            headers.push_back({.name = "Authorization", .value = authorization_});
        return headers;
    };
    return request;
}

void Endpoint::fail_refused(const fetch::Response& response) const
{
    const auto words = told(response.body);
    const auto what = fmt::format("{}: the registry answers {}{}{}", text::printable(response.url), response.status,
                                  words.empty() ? "" : ", ", words);
    if (response.status == 401 || response.status == 403)
        throw Error{Error::Kind::untrusted, what,
                    login_ ? "the user or the password may be wrong"
                           : "configure a login with a dockerAuth file in auth.d, or `docker login`"};
    if (response.status == 404)
        throw Error{Error::Kind::not_found, what, "is the name spelled right, and may you see it?"};
    throw Error{Error::Kind::system, what, response.status >= 500 || response.status == 429 ? "try again later" : ""};
}

fetch::Response Endpoint::get(const fetch::Request& request)
{
    auto response = ask(request);
    if (response.status != 200)
        fail_refused(response);
    return response;
}

fetch::Response Endpoint::ask(const fetch::Request& request)
{
    refresh();
    std::optional<Grant> tried;
    auto response = client_.perform(request);
    while (response.status == 401 && authorize(response, tried))
        response = client_.perform(request);
    pass_on_warnings(response);
    return response;
}

void Endpoint::refresh()
{
    if (grant_ && tokens_.at(*grant_).good_until - before_its_end * second < sys::monotonic_usec()) {
        tokens_.erase(*grant_);
        use(*grant_);
    }
}

// Whether it is worth asking again (OAUTH-1..7). `tried`: what the refused request brought a new token for.
bool Endpoint::authorize(const fetch::Response& refused, std::optional<Grant>& tried)
{
    if (!fetch::Url::parse(refused.url).same_origin(base_))
        return false;
    auto challenges = challenges_of(refused);
    for (auto& [scheme, parameters] : challenges) {
        if (scheme != "bearer" || !parameters.contains("realm"))
            continue;
        const Grant grant{parameters["realm"], parameters["service"],
                          parameters.contains("scope") ? parameters["scope"] : "repository:" + repository_ + ":pull"};
        if (tried && (*tried == grant || tokens_.size() > 8))
            return false;
        tokens_.erase(grant); // it was refused, whatever it said about its life
        use(grant);
        tried = grant;
        return true;
    }
    const auto is_basic = [](const auto& each) { return each.scheme == "basic"; };
    return std::ranges::any_of(challenges, is_basic) && use_password();
}

bool Endpoint::use_password()
{
    if (!login_ || !login_->password)
        return false;
    grant_.reset();
    const auto header = basic_authorization(*login_->password);
    return std::exchange(authorization_, header) != header;
}

void Endpoint::use(const Grant& grant)
{
    if (!tokens_.contains(grant))
        tokens_[grant] = token_for(grant);
    authorization_ = "Bearer " + tokens_[grant].text;
    grant_ = grant;
}

Endpoint::Token Endpoint::token_for(const Grant& grant)
{
    const auto server = fetch::Url::parse(grant.realm);
    if (!server.is_secure() && !client_.options().insecure_http)
        fail(Error::Kind::untrusted, "the registry sends us to {} for a token, which is not https",
             text::quoted(grant.realm));
    return with_context("asking for a token", [&]() -> Token {
        const auto response = ask_token_server(server, grant);
        if (response.status != 200)
            fail_refused(response);
        const auto value = model::json::parse(response.body, "token");
        model::json::Fields fields{{value, "token"}};
        auto token = fields.text_or("token", "");
        if (token.empty())
            token = fields.text_or("access_token", "");
        if (token.empty() || std::ranges::any_of(token, [](char c) { return c <= ' ' || c > '~'; }))
            fail(Error::Kind::corrupt, "{} gave no token", text::printable(server.authority()));
        const auto life = fields.optional("expires_in");
        const auto seconds = life ? life->integer(INT64_MIN, INT64_MAX) : shortest_life;
        return {token, sys::monotonic_usec() + std::clamp(seconds, shortest_life, longest_life) * second};
    });
}

// By the token that `docker login` left, if there is one (OAUTH-5), else by the password, else without either.
fetch::Response Endpoint::ask_token_server(const fetch::Url& server, const Grant& grant)
{
    const auto query = query_of(grant.service, grant.scope);
    if (login_ && login_->identity_token) {
        auto response =
            client_.perform({.url = server.str(),
                             .method = "POST",
                             .body = fmt::format("grant_type=refresh_token&client_id=rocket&refresh_token={}&{}",
                                                 encoded(login_->identity_token->reveal()), query),
                             .limit = largest_answer});
        if (response.status != 404 && response.status != 405)
            return response;
    }
    const char separator = server.target().find('?') == std::string::npos ? '?' : '&';
    fetch::Request request{.url = server.str() + (query.empty() ? "" : separator + query), .limit = largest_answer};
    if (login_ && login_->password)
        request.credentials = [this, server](const std::string&, const fetch::Url& asked) {
            fetch::Headers headers;
            if (asked.same_origin(server))
                headers.push_back({.name = "Authorization", .value = basic_authorization(*login_->password)});
            return headers;
        };
    return client_.perform(request);
}

// ODIST-11: Warning: 299 - "text"
void Endpoint::pass_on_warnings(const fetch::Response& response)
{
    constexpr std::string_view begin = "299 - \"";
    for (const auto& [name, value] : response.headers) {
        if (name != "warning" || !value.starts_with(begin) || !say_)
            continue;
        const auto words = value.substr(begin.size(), value.rfind('"') - begin.size());
        if (warnings_.size() < 16 && warnings_.insert(words).second)
            say_(fmt::format("{} warns: {}", base_.authority(), text::printable(words.substr(0, 500))));
    }
}

} // namespace rocket::oci

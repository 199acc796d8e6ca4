// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/authorization.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "common/sys/base64.hh"
#include "common/sys/text.hh"
#include "stage0/store/hash.hh"

namespace rocket::image
{

namespace
{

std::string sha256_hex(std::string_view bytes)
{
    store::Sha256Hasher hasher;
    hasher.add(bytes);
    return text::hex(hasher.finish());
}

std::string hmac(std::string_view key, std::string_view message)
{
    const auto code = store::hmac_sha256(key, message);
    return {code.begin(), code.end()};
}

bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-._~"}.find(c) != std::string_view::npos;
}

// What is %XX already stays, everything else that has to be becomes it: S3 encodes a path once.
std::string encoded(std::string_view raw, std::string_view also_allowed)
{
    std::string out;
    for (const char c : raw)
        if (is_unreserved(c) || c == '%' || also_allowed.find(c) != also_allowed.npos)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
}

std::string canonical_query(const fetch::Url& url)
{
    const auto question = url.target().find('?');
    if (question == std::string::npos || question + 1 == url.target().size())
        return {};
    auto parts = text::split(url.target().substr(question + 1), '&');
    for (auto& part : parts) {
        const auto equals = part.find('=');
        part = encoded(part.substr(0, equals), "") + "=" +
               (equals == std::string::npos ? "" : encoded(part.substr(equals + 1), ""));
    }
    std::ranges::sort(parts);
    std::string query;
    for (const auto& part : parts)
        query += (query.empty() ? "" : "&") + part;
    return query;
}

std::string time_stamp()
{
    const auto now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> buffer{};
    const auto size = std::strftime(buffer.data(), buffer.size(), "%Y%m%dT%H%M%SZ", &parts);
    return {buffer.data(), size};
}

struct ByType {
    const std::string& method;
    const fetch::Url& url;

    fetch::Headers operator()(const config::BasicAuth& auth) const { return basic_authorization(auth); }
    fetch::Headers operator()(const config::OauthAuth& auth) const
    {
        return {{"Authorization", "Bearer " + auth.token.reveal()}};
    }
    fetch::Headers operator()(const config::AwsAuth& auth) const
    {
        return aws_authorization(auth, method, url, time_stamp());
    }
};

} // namespace

fetch::Headers authorization(const config::Credentials& credentials, const std::string& method, const fetch::Url& url)
{
    return std::visit(ByType{method, url}, credentials);
}

fetch::Headers basic_authorization(const config::BasicAuth& auth)
{
    return {{"Authorization", "Basic " + text::encode_base64(auth.user + ":" + auth.password.reveal())}};
}

fetch::Headers aws_authorization(const config::AwsAuth& auth, const std::string& method, const fetch::Url& url,
                                 const std::string& when)
{
    const auto nothing = sha256_hex("");
    const auto region = auth.region.empty() ? aws_region_of(url.host()) : auth.region;
    const auto day = when.substr(0, 8);
    const auto scope = fmt::format("{}/{}/s3/aws4_request", day, region);
    constexpr std::string_view signed_headers = "host;x-amz-content-sha256;x-amz-date";
    const auto request = fmt::format("{}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{}\n\n{}\n{}", method,
                                     encoded(url.path(), "/"), canonical_query(url), url.authority(), nothing, when,
                                     signed_headers, nothing);
    const auto to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", when, scope, sha256_hex(request));
    auto key = "AWS4" + auth.secret_access_key.reveal();
    for (const auto& step : {day, region, std::string{"s3"}, std::string{"aws4_request"}})
        key = hmac(key, step);
    const auto signature = store::hmac_sha256(key, to_sign);
    return {{"x-amz-date", when},
            {"x-amz-content-sha256", nothing},
            {"Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                                          auth.access_key_id, scope, signed_headers, text::hex(signature))}};
}

std::string aws_region_of(std::string_view host)
{
    const std::string fallback = "us-east-1";
    const auto labels = text::split(host, '.');
    const auto from_end = [&](std::size_t n) { return n <= labels.size() ? labels[labels.size() - n] : std::string{}; };
    if (labels.size() < 3 || from_end(2) != "amazonaws")
        return fallback;
    if (host.ends_with("s3.amazonaws.com") || host.ends_with("s3-external-1.amazonaws.com"))
        return fallback;
    if (from_end(3).starts_with("s3-"))
        return from_end(3).substr(3);
    return from_end(4) == "s3" ? from_end(3) : fallback;
}

} // namespace rocket::image

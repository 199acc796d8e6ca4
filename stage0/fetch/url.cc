// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/url.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::fetch
{

namespace
{

[[noreturn]] void refuse(std::string_view text, std::string_view why)
{
    fail(Error::Kind::usage, "{} is not a URL that can be fetched: {}", text::quoted(without_password(text)), why);
}

std::string lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

void check_characters(std::string_view text)
{
    for (const char c : text)
        if (const auto byte = static_cast<unsigned char>(c); byte <= ' ' || byte >= 0x7F || c == '\\' || c == '"')
            refuse(text, "it has a character that has to be written as %XX");
}

bool is_host_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// host, host:port, [v6], [v6]:port
void check_authority(std::string_view whole, std::string_view authority)
{
    if (authority.find('@') != authority.npos)
        refuse(whole, "user names and passwords belong in the auth configuration");
    const bool is_v6 = authority.starts_with('[');
    const auto end = is_v6 ? authority.find(']') : authority.find(':');
    const auto host = is_v6 ? authority.substr(1, end == authority.npos ? 0 : end - 1) : authority.substr(0, end);
    const bool good =
        is_v6
            ? std::ranges::all_of(
                  host, [](char c) { return c == ':' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); })
            : std::ranges::all_of(host, is_host_character);
    if (host.empty() || !good)
        refuse(whole, "its host is not a name or an address");
    const auto behind = is_v6 ? end + 1 : end;
    if (behind == authority.npos || behind == authority.size())
        return;
    const auto port =
        authority[behind] == ':' ? text::parse_decimal(authority.substr(behind + 1), 65535) : std::nullopt;
    if (!port || *port == 0)
        refuse(whole, "its port is not a number from 1 to 65535");
}

std::string without_dots(std::string_view path)
{
    std::vector<std::string> kept;
    const auto parts = text::split(path.substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        if (parts[i] == "..") {
            if (!kept.empty())
                kept.pop_back();
        } else if (parts[i] != ".") {
            kept.push_back(parts[i]);
            continue;
        }
        if (last)
            kept.emplace_back();
    }
    std::string out;
    for (const auto& part : kept)
        out += "/" + part;
    return out.empty() ? "/" : out;
}

bool has_scheme(std::string_view text)
{
    const auto colon = text.find(':');
    return colon != text.npos && text.find_first_of("/?#") > colon;
}

} // namespace

Url Url::parse(std::string_view text)
{
    check_characters(text);
    Url url;
    const auto colon = text.find("://");
    if (colon == text.npos)
        refuse(text, "it does not begin with https://");
    url.scheme_ = lower(text.substr(0, colon));
    if (url.scheme_ != "https" && url.scheme_ != "http")
        refuse(text, "only https and http can be fetched");
    auto rest = text.substr(colon + 3);
    rest = rest.substr(0, rest.find('#'));
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    url.authority_ = lower(rest.substr(0, end));
    check_authority(text, url.authority_);
    url.target_ = rest.substr(end);
    if (!url.target_.starts_with('/'))
        url.target_.insert(0, "/");
    return url;
}

Url Url::resolve(std::string_view reference) const
{
    if (has_scheme(reference))
        return parse(reference);
    if (reference.starts_with("//"))
        return parse(scheme_ + ":" + std::string{reference});
    reference = reference.substr(0, reference.find('#'));
    check_characters(reference);
    Url url = *this;
    if (reference.empty())
        return url;
    if (reference.starts_with('?')) {
        url.target_ = path() + std::string{reference};
        return url;
    }
    const auto query_at = std::min(reference.find('?'), reference.size());
    auto path = std::string{reference.substr(0, query_at)};
    if (!path.starts_with('/'))
        path = this->path().substr(0, this->path().rfind('/') + 1) + path;
    url.target_ = without_dots(path) + std::string{reference.substr(query_at)};
    return url;
}

std::string Url::host() const
{
    return authority_.substr(0, authority_.find(':', authority_.starts_with('[') ? authority_.find(']') : 0));
}

std::string Url::port() const
{
    const auto name = host();
    if (authority_.size() > name.size() + 1)
        return authority_.substr(name.size() + 1);
    return is_secure() ? "443" : "80";
}

bool Url::same_origin(const Url& other) const
{
    return scheme_ == other.scheme_ && host() == other.host() && port() == other.port();
}

std::string without_password(std::string_view text)
{
    const auto scheme = text.find("://");
    if (scheme == text.npos)
        return std::string{text};
    const auto begin = scheme + 3;
    const auto slash = text.find('/', begin);
    const auto at = text.substr(0, slash).rfind('@');
    const auto colon = text.find(':', begin);
    const bool may_be_digest = slash == text.npos && !text.starts_with("http"); // docker://NAME:TAG@sha256:...
    if (at == text.npos || at < begin || colon > at || may_be_digest)
        return std::string{text};
    return std::string{text.substr(0, colon)} + ":***" + std::string{text.substr(at)};
}

} // namespace rocket::fetch

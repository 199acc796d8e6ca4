// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/docker_name.hh"

#include <algorithm>
#include <cctype>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t longest_path = 255, longest_tag = 128;

[[noreturn]] void refuse(std::string_view name, std::string_view why)
{
    throw Error{Error::Kind::usage, fmt::format("invalid docker reference {}: {}", text::quoted(name), why),
                "a reference looks like [HOST[:PORT]/]NAME[:TAG|@DIGEST]"};
}

bool consists_of(std::string_view text, std::string_view characters)
{
    return text.find_first_not_of(characters) == text.npos;
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_component(std::string_view text)
{
    while (true) {
        const auto end = std::min(text.find_first_not_of(lower), text.size());
        if (end == 0)
            return false;
        text.remove_prefix(end);
        if (text.empty())
            return true;
        const auto next = std::min(text.find_first_of(lower), text.size());
        const auto separator = text.substr(0, next);
        if (separator != "." && separator != "_" && separator != "__" && !consists_of(separator, "-"))
            return false;
        text.remove_prefix(next);
    }
}

bool is_host(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        const auto port = end == text.npos ? text : text.substr(end + 1);
        return end != text.npos && end > 1 && consists_of(text.substr(1, end - 1), "0123456789abcdefABCDEF:") &&
               (port.empty() || (port.size() > 1 && port[0] == ':' && text::parse_decimal(port.substr(1), 65535)));
    }
    if (colon != text.npos && !text::parse_decimal(text.substr(colon + 1), 65535))
        return false;
    return std::ranges::all_of(text::split(text.substr(0, colon), '.'), [](const std::string& label) {
        return !label.empty() && label.front() != '-' && label.back() != '-' &&
               consists_of(label, std::string{letters} + "-");
    });
}

bool looks_like_host(std::string_view first)
{
    return first.find_first_of(".:") != first.npos || first == "localhost" ||
           std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_tag(std::string_view tag)
{
    return !tag.empty() && tag.size() <= longest_tag && tag[0] != '.' && tag[0] != '-' &&
           consists_of(tag, std::string{letters} + "_.-");
}

void take_digest(DockerName& name, std::string_view& rest, std::string_view text)
{
    const auto at = rest.find('@');
    if (at == rest.npos)
        return;
    try {
        name.digest = store::ContentDigest::parse(rest.substr(at + 1));
    } catch (const Error& error) {
        refuse(text, error.innermost());
    }
    rest = rest.substr(0, at);
}

void take_tag(DockerName& name, std::string_view& rest, std::string_view text)
{
    const auto colon = rest.rfind(':');
    if (colon == rest.npos || rest.find('/', colon) != rest.npos)
        return;
    name.tag = rest.substr(colon + 1);
    if (!is_tag(name.tag))
        refuse(text, "the tag is not valid");
    rest = rest.substr(0, colon);
}

void take_domain(DockerName& name, std::string_view& rest, std::string_view text)
{
    const auto slash = rest.find('/');
    name.domain = "docker.io";
    if (slash != rest.npos && looks_like_host(rest.substr(0, slash))) {
        name.domain = rest.substr(0, slash);
        rest = rest.substr(slash + 1);
        if (!is_host(name.domain))
            refuse(text, "the host is not valid");
    }
    if (name.domain == "index.docker.io")
        name.domain = "docker.io";
}

} // namespace

DockerName DockerName::parse(std::string_view text)
{
    DockerName name;
    if (text.find("://") != text.npos)
        refuse(text, "it has no scheme such as https://");
    if (const auto host = text.substr(0, text.find('/')); host.size() < text.size() && host.find('@') != host.npos)
        refuse(text.substr(host.find('@') + 1), "user names and passwords belong in the auth configuration");
    auto rest = text;
    take_digest(name, rest, text);
    take_tag(name, rest, text);
    take_domain(name, rest, text);
    if (rest.size() == 64 && text::is_lower_hex(rest))
        refuse(text, "64 hexadecimal digits are no name");
    if (rest.size() > longest_path)
        refuse(text, "the name is too long");
    if (std::ranges::any_of(rest, [](char c) { return c >= 'A' && c <= 'Z'; }))
        refuse(text, "names have no capital letters");
    if (!std::ranges::all_of(text::split(rest, '/'), is_component))
        refuse(text, "names consist of lower-case letters, digits and single separators");
    name.path = name.domain == "docker.io" && rest.find('/') == rest.npos ? "library/" + std::string{rest} : rest;
    if (name.tag.empty() && !name.digest)
        name.tag = "latest";
    return name;
}

std::string DockerName::api_host() const
{
    return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

std::string DockerName::str() const
{
    return digest ? repository() + "@" + digest->str() : repository() + ":" + tag;
}

std::string DockerName::version() const
{
    return tag.empty() ? digest->key() : tag;
}

} // namespace rocket::oci

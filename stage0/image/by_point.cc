// SPDX-License-Identifier: Apache-2.0
// Distribution points (cli 4.3): cimd:TYPE:v=0:DATA, another way to write the other references.
#include "common/sys/text.hh"
#include "stage0/image/escape.hh"
#include "stage0/image/remote.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

namespace
{

[[noreturn]] void refuse(const std::string& text)
{
    throw Error{Error::Kind::usage, fmt::format("malformed distribution uri {}", text::quoted(text)),
                "it looks like cimd:appc:v=0:example.com/app?version=1.0"};
}

// name?label=value&label=value, each part escaped
model::ImageName name_of(const std::string& whole, const std::string& data)
{
    const auto question = data.find('?');
    auto text = unescaped(data.substr(0, question)).value_or("");
    if (question != std::string::npos)
        for (const auto& part : text::split(data.substr(question + 1), '&')) {
            const auto equals = part.find('=');
            const auto label = unescaped(part.substr(0, equals));
            const auto value = equals == std::string::npos ? std::nullopt : unescaped(part.substr(equals + 1));
            if (!label || !value || value->find(',') != std::string::npos)
                refuse(whole);
            text += fmt::format(",{}={}", *label, *value);
        }
    return model::ImageName::parse(text);
}

// The path of the URL need not end in .aci here.
model::ImageId acquire_archive(Session& session, const std::string& whole, const std::string& data,
                               const Request& request)
{
    const auto url = unescaped(data);
    if (!url)
        refuse(whole);
    if (url->starts_with("file:///"))
        return acquire_from(session, FileReference{.path = unescaped(url->substr(7)).value_or("")}, request);
    return acquire_remote(session, remote_image(fetch::Url::parse(*url)), request);
}

} // namespace

model::ImageId acquire_from(Session& session, const DistributionPoint& point, const Request& request)
{
    const auto parts = text::split(point.text, ':');
    if (parts.size() < 4 || parts[2] != "v=0")
        refuse(point.text);
    const auto data = point.text.substr(parts[0].size() + parts[1].size() + parts[2].size() + 3);
    if (parts[1] == "appc")
        return acquire_from(session, name_of(point.text, data), request);
    if (parts[1] == "aci-archive")
        return acquire_archive(session, point.text, data, request);
    if (parts[1] == "docker")
        return acquire_from(session, DockerReference{"docker://" + data}, request);
    fail(Error::Kind::usage, "unknown distribution type: {}", text::quoted(parts[1]));
}

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
#include "common/model/image_name.hh"

#include <algorithm>
#include <array>

#include "common/model/platform.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

void add_label(Labels& labels, std::string_view name, std::string value)
{
    const auto checked = AcIdentifier::parse(name);
    if (const auto* other = find(labels, name))
        fail(Error::Kind::usage, "label {} with multiple values [{} {}]", name, text::printable(*other),
             text::printable(value));
    labels.push_back({checked, std::move(value)});
}

} // namespace

ImageName ImageName::parse(std::string_view text)
{
    const auto parts = text::split(text, ',');
    const std::string_view head = parts.front();
    const auto colon = head.find(':');
    if (std::ranges::count(text, ':') > 1)
        fail(Error::Kind::usage, "malformed app string - colon may appear at most once: {}", text::quoted(text));
    if (text.find(':') != colon)
        fail(Error::Kind::usage, "malformed app string - colon may appear only right after the app name: {}",
             text::quoted(text));
    ImageName image{.name = AcIdentifier::parse(head.substr(0, colon))};
    if (colon != std::string_view::npos)
        add_label(image.labels, "version", std::string{head.substr(colon + 1)});
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto equals = parts[i].find('=');
        if (equals == std::string::npos)
            fail(Error::Kind::usage, "malformed string {} - has a label without a value: {}", text::quoted(text),
                 text::printable(parts[i]));
        add_label(image.labels, parts[i].substr(0, equals), parts[i].substr(equals + 1));
    }
    check_labels(image.labels);
    return image;
}

std::string ImageName::str() const
{
    constexpr std::array<std::string_view, 3> first{"version", "os", "arch"};
    auto sorted = labels;
    const auto rank = [&](const Label& label) { return std::ranges::find(first, label.name.str()) - first.begin(); };
    std::ranges::sort(sorted, [&](const Label& a, const Label& b) {
        return std::pair{rank(a), a.name} < std::pair{rank(b), b.name};
    });
    std::string text = name.str();
    for (const auto& label : sorted)
        text += label.name == "version" ? ":" + label.value : "," + label.name.str() + "=" + label.value;
    return text;
}

ImageName ImageName::for_host() const
{
    auto image = *this;
    const auto host = host_platform();
    for (const auto& [label, value] : {std::pair{"os", host.os}, std::pair{"arch", host.arch}})
        if (find(image.labels, label) == nullptr)
            image.labels.push_back({AcIdentifier::parse(label), value});
    check_labels(image.labels);
    return image;
}

} // namespace rocket::model

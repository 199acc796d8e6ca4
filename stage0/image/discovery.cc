// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/discovery.hh"

#include <algorithm>
#include <functional>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::image
{

namespace
{

constexpr std::uint64_t largest_page = std::uint64_t{256} << 10; // the parser's time grows with the square of its depth
constexpr std::string_view blanks = " \t\n\r\f";

// What a walk up the pages of a name looks for: takes what is of use, and says whether that is enough.
using Use = std::function<bool(const std::vector<fetch::Tag>& tags)>;

class Walk
{
public:
    Walk(Network& network, std::string tag) : network_{network}, tag_{std::move(tag)} {}

    // False if no page was of use; then text() has what happened at each.
    bool run(const model::AcIdentifier& name, const Use& use)
    {
        for (const auto& page : pages_for(name)) {
            if (try_page("https://" + page + "?ac-discovery=1", use))
                return true;
            if (network_.client.options().insecure_http && try_page("http://" + page + "?ac-discovery=1", use))
                return true;
        }
        return false;
    }
    const std::string& text() const noexcept { return text_; }

private:
    bool try_page(const std::string& url, const Use& use)
    {
        try {
            const auto response = network_.client.perform({.url = url,
                                                           .headers = {{"Accept", "text/html"}},
                                                           .credentials = network_.for_pages,
                                                           .limit = largest_page,
                                                           .wants_tags = true,
                                                           .attempts = 2,
                                                           .total_seconds = 60});
            if (response.status != 200)
                note(fmt::format("{}: bad HTTP status code: {}", url, response.status));
            else if (use(response.tags))
                return true;
            else
                note(fmt::format("{}: meta tag '{}' not found", url, tag_));
        } catch (const fetch::HttpError& error) {
            note(error.innermost());
        }
        return false;
    }
    void note(const std::string& line) { text_ += "\n  " + text::printable(line); }

    Network& network_;
    std::string tag_;
    std::string text_;
};

[[noreturn]] void fail_discovery(const model::AcIdentifier& name, const std::string& what, const std::string& attempts)
{
    throw Error{Error::Kind::not_found, fmt::format("{}; tried:{}", what, attempts),
                "check the spelling of the name; its host has to serve the pages over https"}
        .add_context(fmt::format("discovery failed for {}", text::quoted(name.str())));
}

// Whether something may be fetched from there at all.
std::optional<fetch::Url> usable(const Network& network, const std::string& text)
{
    try {
        auto url = fetch::Url::parse(text);
        if (url.is_secure() || network.client.options().insecure_http)
            return url;
    } catch (const Error&) { // another scheme, or nonsense: the next one may do
    }
    return std::nullopt;
}

std::optional<Endpoint> endpoint(const Network& network, const std::string& text, const model::ImageName& name)
{
    const auto image = render_template(text, name, "aci");
    const auto signature = render_template(text, name, "aci.asc");
    const auto image_url = image ? usable(network, *image) : std::nullopt;
    const auto signature_url = signature ? usable(network, *signature) : std::nullopt;
    if (!image_url || !signature_url)
        return std::nullopt;
    return Endpoint{*image_url, *signature_url};
}

const std::string* value_of(const model::ImageName& name, std::string_view variable)
{
    static const std::string latest = "latest";
    if (variable == "name")
        return &name.name.str();
    const auto* value = model::find(name.labels, variable);
    if (variable == "version" && (value == nullptr || value->empty()))
        return &latest;
    return value;
}

} // namespace

std::vector<std::string> pages_for(const model::AcIdentifier& name)
{
    std::vector<std::string> pages{name.str()};
    for (auto slash = name.str().rfind('/'); slash != std::string::npos && slash > 0;
         slash = name.str().rfind('/', slash - 1))
        pages.push_back(name.str().substr(0, slash));
    return pages;
}

std::optional<std::string> applicable(const fetch::Tag& tag, std::string_view wanted, const model::AcIdentifier& name)
{
    if (tag.name != wanted)
        return std::nullopt;
    const std::string_view content = tag.content;
    const auto begin = content.find_first_not_of(blanks);
    const auto end = begin == content.npos ? begin : content.find_first_of(blanks, begin);
    const auto rest_at = end == content.npos ? end : content.find_first_not_of(blanks, end);
    if (rest_at == content.npos || !name.str().starts_with(content.substr(begin, end - begin)))
        return std::nullopt;
    const auto last = content.find_last_not_of(blanks);
    auto rest = std::string{content.substr(rest_at, last - rest_at + 1)};
    if (rest.find_first_of(blanks) != std::string::npos)
        return std::nullopt;
    return rest;
}

// One pass: what is put in is not looked at again.
std::optional<std::string> render_template(std::string_view text, const model::ImageName& name, std::string_view ext)
{
    std::string out;
    bool has_ext = false;
    for (auto rest = text; !rest.empty();) {
        const auto open = rest.find('{');
        out += rest.substr(0, open);
        if (open == rest.npos)
            break;
        const auto close = rest.find('}', open);
        if (close == rest.npos)
            return std::nullopt;
        const auto variable = rest.substr(open + 1, close - open - 1);
        if (variable == "ext") {
            out += ext;
            has_ext = true;
        } else if (const auto* value = value_of(name, variable)) {
            out += *value;
        } else {
            return std::nullopt;
        }
        rest = rest.substr(close + 1);
    }
    return has_ext ? std::optional{out} : std::nullopt;
}

std::vector<Endpoint> discover_images(Network& network, const model::ImageName& name)
{
    constexpr const char* tag_name = "ac-discovery";
    std::vector<Endpoint> endpoints;
    Walk walk{network, tag_name};
    walk.run(name.name, [&](const std::vector<fetch::Tag>& tags) {
        for (const auto& tag : tags)
            if (const auto text = applicable(tag, tag_name, name.name))
                if (const auto found = endpoint(network, *text, name))
                    endpoints.push_back(*found);
        return !endpoints.empty();
    });
    if (endpoints.empty())
        fail_discovery(name.name, "no endpoints discovered", walk.text());
    std::stable_partition(endpoints.begin(), endpoints.end(),
                          [](const Endpoint& one) { return one.image.is_secure(); });
    return endpoints;
}

std::vector<fetch::Url> discover_keys(Network& network, const model::AcIdentifier& name)
{
    constexpr const char* tag_name = "ac-discovery-pubkeys";
    std::vector<fetch::Url> keys;
    Walk walk{network, tag_name};
    walk.run(name, [&](const std::vector<fetch::Tag>& tags) {
        for (const auto& tag : tags)
            if (const auto text = applicable(tag, tag_name, name))
                if (const auto url = usable(network, *text))
                    keys.push_back(*url);
        return !keys.empty();
    });
    if (keys.empty())
        fail_discovery(name, "no keys discovered", walk.text());
    return keys;
}

} // namespace rocket::image

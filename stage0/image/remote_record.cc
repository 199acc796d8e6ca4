// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/remote_record.hh"

#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/image/places.hh"

namespace rocket::image
{

namespace
{

namespace json = model::json;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t longest_age = std::int64_t{365} * 24 * 3600; // seconds

std::string file_name(const std::string& url)
{
    return key_of(url) + ".json";
}

std::string lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

// The number behind max-age=; negative ones count as 0, what is no number is not there.
std::optional<std::int64_t> age_from(std::string_view value)
{
    if (value.starts_with('-'))
        return text::parse_decimal(value.substr(1)) ? std::optional<std::int64_t>{0} : std::nullopt;
    if (value.size() > 1 && value.starts_with('0'))
        return std::nullopt;
    const auto seconds = text::parse_decimal(value);
    if (!seconds)
        return std::nullopt;
    return static_cast<std::int64_t>(std::min(*seconds, static_cast<std::uint64_t>(longest_age)));
}

std::optional<std::string> read_own_or_roots(const model::Layout& layout, const std::string& name)
{
    constexpr std::size_t largest = std::size_t{64} << 10;
    if (auto own = file::read_if_exists(AT_FDCWD, remote_dir(layout) + "/" + name, largest))
        return own;
    return file::read_if_exists(AT_FDCWD, layout.cas() + "/remote/" + name, largest);
}

RemoteRecord parse(const std::string& content)
{
    const auto value = json::parse(content, "remote record");
    json::Fields fields{json::Cursor{value, "record"}};
    RemoteRecord record{.url = fields.required("url").text(), .id = fields.required("id").as<model::ImageId>()};
    record.etag = fields.text_or("etag", "");
    record.expires_ns = fields.required("expires").integer(0, INT64_MAX);
    return record;
}

} // namespace

bool RemoteRecord::is_fresh() const
{
    const auto now = sys::realtime_nsec();
    return now < expires_ns && expires_ns - now <= longest_age * second_ns; // or the clock was wrong once
}

std::optional<RemoteRecord> read_remote(const model::Layout& layout, const std::string& url)
{
    try {
        const auto content = read_own_or_roots(layout, file_name(url));
        if (!content)
            return std::nullopt;
        auto record = parse(*content);
        return record.url == url ? std::optional{record} : std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
}

void write_remote(const model::Layout& layout, const RemoteRecord& record)
{
    const auto dir = open_own(AT_FDCWD, remote_dir(layout));
    json::ObjectWriter writer;
    writer.set("url", record.url)
        .set("id", record.id.digest())
        .set_text("etag", record.etag)
        .set("expires", record.expires_ns);
    file::write_atomic(dir.get(), file_name(record.url), json::write(writer.done(), json::Style::four_blanks) + "\n",
                       0640);
}

std::int64_t max_age(std::string_view cache_control)
{
    std::int64_t age = 0;
    for (const auto& part : text::split(cache_control, ',')) {
        const auto directive = lower(text::trim(part));
        constexpr std::string_view name = "max-age=";
        if (directive == "no-cache" || directive == "no-store")
            age = 0;
        else if (directive.starts_with(name))
            age = age_from(std::string_view{directive}.substr(name.size())).value_or(age);
    }
    return age;
}

std::int64_t expiry_of(const fetch::Response& response)
{
    const auto age = max_age(response.header("cache-control"));
    return age > 0 ? sys::realtime_nsec() + age * second_ns : 0;
}

} // namespace rocket::image

// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/partial.hh"

#include <unistd.h>

#include "common/model/json_object.hh"
#include "common/sys/file.hh"
#include "common/sys/remove.hh"
#include "common/sys/sys.hh"
#include "stage0/image/places.hh"
#include "stage0/store/named_lock.hh"

namespace rocket::image
{

namespace
{

namespace json = model::json;

constexpr const char* data_name = "data";
constexpr const char* facts_name = "facts.json";
constexpr std::int64_t week_ns = std::int64_t{7} * 24 * 3600 * 1'000'000'000;

Fd open_data(int dir)
{
    auto data = sys::open(dir, data_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, ::geteuid() == 0 ? 0600 : 0660);
    if (!S_ISREG(sys::stat(data.get()).st_mode))
        fail(Error::Kind::corrupt, "the partial download is no file");
    return data;
}

std::optional<std::uint64_t> total_of(const fetch::Response& head)
{
    if (head.status != 200)
        return std::nullopt;
    return text::parse_decimal(head.header("content-length"), INT64_MAX);
}

void sweep_one(const model::Layout& layout, const std::string& directory, const std::string& name)
{
    const auto data = sys::stat_if_exists(AT_FDCWD, directory + "/" + name + "/" + data_name);
    const auto last = data ? data->st_mtim.tv_sec * std::int64_t{1'000'000'000} : 0;
    if (last > sys::realtime_nsec() - week_ns)
        return;
    if (const auto lock = store::NamedLock::try_take(lock_path(layout, name)))
        remove_tree(sys::open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY).get(), name);
}

} // namespace

Partial::Partial(const model::Layout& layout, std::string key)
    : key_{std::move(key)}, all_{open_own(AT_FDCWD, partial_dir(layout))}, dir_{open_own(all_.get(), key_)},
      data_{open_data(dir_.get())}
{
    load();
}

// What cannot be read is as good as nothing.
void Partial::load()
{
    try {
        const auto content = file::read_if_exists(dir_.get(), facts_name, 64U << 10U);
        if (!content)
            return;
        const auto value = json::parse(*content, "facts about a partial download");
        json::Fields fields{json::Cursor{value, "facts"}};
        etag_ = fields.text_or("etag", "");
        if (const auto total = fields.optional("total"))
            total_ = static_cast<std::uint64_t>(total->integer(0, INT64_MAX));
    } catch (const Error&) {
        etag_.clear();
    }
}

std::uint64_t Partial::size() const
{
    return static_cast<std::uint64_t>(sys::stat(data_.get()).st_size);
}

bool Partial::is_complete() const
{
    return total_ && !etag_.empty() && size() == *total_;
}

// In an order in which bytes are never next to the validator of others.
void Partial::begin(const fetch::Response& head)
{
    if (head.status == 206)
        return;
    sys::unlink_if_exists(dir_.get(), facts_name);
    sys::check([&] { return ::ftruncate(data_.get(), 0); }, "emptying a partial download");
    etag_ = fetch::strong_etag(head);
    total_ = total_of(head);
    if (etag_.empty())
        return;
    json::ObjectWriter writer;
    writer.set("url", head.url).set("etag", etag_);
    if (total_)
        writer.set("total", *total_);
    file::write_volatile(dir_.get(), facts_name, json::write(writer.done()) + "\n", 0640);
}

void Partial::remove()
{
    remove_tree(all_.get(), key_);
}

void Partial::sweep(const model::Layout& layout)
{
    for (const auto& directory : {layout.cas() + "/partial", layout.members() + "/partial"}) {
        const auto names = file::list_if_exists(AT_FDCWD, directory);
        for (const auto& name : names.value_or(std::vector<std::string>{})) {
            try {
                sweep_one(layout, directory, name);
            } catch (const Error&) { // somebody else's, who will sweep it
            }
        }
    }
}

} // namespace rocket::image

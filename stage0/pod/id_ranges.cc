// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/id_ranges.hh"

#include <algorithm>

#include "common/sys/file.hh"
#include "common/sys/lock.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

namespace
{

// Where systemd's "Users, Groups, UIDs and GIDs" has containers: above all users, below 2^31, which devpts is afraid
// of.
constexpr std::uint32_t lowest = 0x00080000;
constexpr std::uint32_t highest = 0x6FFF0000;
constexpr std::uint32_t range_size = 0x10000;
constexpr std::uint32_t ranges = (highest - lowest) / range_size + 1;

void add(std::vector<model::IdRange>& all, const std::vector<model::IdRange>& more)
{
    all.insert(all.end(), more.begin(), more.end());
}

std::optional<model::IdRange> read_range(int dir, const char* name)
{
    constexpr std::size_t limit = 64;
    const auto text = file::read_if_exists(dir, name, limit);
    if (!text || text->empty()) // cut short by a power failure, before anybody could use it
        return std::nullopt;
    return model::IdRange::parse(text::trim(*text));
}

std::vector<model::IdRange> taken_by_pods(const model::Layout& layout)
{
    std::vector<model::IdRange> taken;
    for (const auto& [stage, id] : walk(layout, {model::pod_stages.begin(), model::pod_stages.end()}))
        if (const auto pod = Pod::open(layout, stage, id)) {
            try {
                if (const auto range = id_range_of(pod->fd()))
                    taken.push_back(*range);
            } catch (const Error&) { // a pod that a power failure has kept from coming to be
            }
        }
    return taken;
}

// Of users that run pods as their own: a file each, named by the user's id.
std::string ranges_of_users(const model::Layout& layout)
{
    return layout.data() + "/users";
}

std::vector<model::IdRange> taken_by_own_users(const model::Layout& layout)
{
    std::vector<model::IdRange> taken;
    const auto dir = sys::open_if_exists(AT_FDCWD, ranges_of_users(layout), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!dir)
        return taken;
    for (const auto& name : file::list(dir->get(), "."))
        if (const auto range = read_range(dir->get(), name.c_str()))
            taken.push_back(*range);
    return taken;
}

std::vector<model::IdRange> taken_by_users()
{
    std::vector<model::IdRange> taken;
    for (const char* path : {"/etc/subuid", "/etc/subgid"})
        add(taken, parse_subids(file::read_if_exists(AT_FDCWD, path).value_or("")));
    return taken;
}

Lock lock_ranges(const model::Layout& layout)
{
    return Lock::take(sys::open(AT_FDCWD, layout.id_range_lock(), O_RDONLY | O_CREAT | O_NOFOLLOW, 0640),
                      Lock::Mode::exclusive);
}

model::IdRange free_range(const model::Layout& layout)
{
    auto taken = taken_by_users();
    add(taken, taken_by_pods(layout));
    add(taken, taken_by_own_users(layout));
    std::uint32_t start = 0; // by chance: pods of other data directories are not seen
    sys::random_bytes(&start, sizeof start);
    const auto range = choose_id_range(taken, start % ranges);
    if (!range)
        throw Error{Error::Kind::busy, "there is no range of user ids left for the pod",
                    "remove pods that have ended: rocket gc"};
    return *range;
}

} // namespace

model::IdRange reserve_id_range(const model::Layout& layout, int pod)
{
    const auto lock = lock_ranges(layout);
    const auto range = free_range(layout);
    file::write_new(pod, model::pod_dir::id_range, range.str() + '\n');
    return range;
}

model::IdRange reserve_id_range_of_user(const model::Layout& layout, std::uint32_t uid)
{
    const auto lock = lock_ranges(layout);
    sys::make_dir_if_missing(AT_FDCWD, ranges_of_users(layout), 0700);
    const auto users = sys::open(AT_FDCWD, ranges_of_users(layout), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const auto name = fmt::to_string(uid);
    if (const auto known = read_range(users.get(), name.c_str()))
        return *known;
    const auto range = free_range(layout);
    file::write_atomic(users.get(), name, range.str() + '\n');
    return range;
}

std::optional<model::IdRange> id_range_of(int pod)
{
    return read_range(pod, model::pod_dir::id_range);
}

std::vector<model::IdRange> parse_subids(std::string_view content)
{
    std::vector<model::IdRange> all;
    for (const std::string_view line : text::split(content, '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        try {
            all.push_back(model::IdRange::parse(text::trim(line.substr(colon + 1))));
        } catch (const Error&) { // a comment, or nonsense
        }
    }
    return all;
}

std::optional<model::IdRange> choose_id_range(const std::vector<model::IdRange>& taken, std::uint32_t start)
{
    for (std::uint32_t tried = 0; tried < ranges; ++tried) {
        const model::IdRange range{lowest + (start + tried) % ranges * range_size, range_size};
        if (std::ranges::none_of(taken, [&](const auto& other) { return other.overlaps(range); }))
            return range;
    }
    return std::nullopt;
}

} // namespace rocket::pod

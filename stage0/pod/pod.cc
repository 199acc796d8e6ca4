// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/pod.hh"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

constexpr int directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

Time time_of(const timespec& when)
{
    return Time{std::chrono::seconds{when.tv_sec} + std::chrono::nanoseconds{when.tv_nsec}};
}

// The stage whose directory holds this very pod now.
std::optional<PodStage> stage_now(const model::Layout& layout, const PodId& id, int dir)
{
    const auto self = sys::stat(dir);
    for (const auto stage : model::pod_stages) {
        const auto there = sys::stat_if_exists(AT_FDCWD, layout.pod(stage, id));
        if (there && there->st_ino == self.st_ino && there->st_dev == self.st_dev)
            return stage;
    }
    return std::nullopt;
}

} // namespace

std::string_view name_of(State state) noexcept
{
    constexpr std::array<std::string_view, 11> names{
        "embryo",          "preparing",      "aborted prepare", "prepared", "running", "exited",
        "exited deleting", "exited garbage", "deleting",        "garbage",  "gone"};
    return names[static_cast<std::size_t>(state)];
}

State state_of(PodStage stage, bool locked) noexcept
{
    switch (stage) {
    case PodStage::embryo:
        return State::embryo;
    case PodStage::prepare:
        return locked ? State::preparing : State::aborted_prepare;
    case PodStage::prepared:
        return State::prepared;
    case PodStage::run:
        return locked ? State::running : State::exited;
    case PodStage::exited_garbage:
        return locked ? State::exited_deleting : State::exited_garbage;
    case PodStage::garbage:
        return locked ? State::deleting : State::garbage;
    }
    return State::gone;
}

bool has_ended(State state) noexcept
{
    return state == State::exited || state == State::exited_garbage || state == State::exited_deleting ||
           state == State::garbage || state == State::deleting;
}

bool is_finished(State state) noexcept
{
    return has_ended(state) || state == State::aborted_prepare || state == State::gone;
}

Pod::Pod(const model::Layout& layout, PodStage stage, PodId id, Fd dir)
    : layout_{layout}, stage_{stage}, id_{std::move(id)}, dir_{std::move(dir)}, state_{state_of(stage,
                                                                                                is_locked_exclusively(
                                                                                                    dir_.get(), "."))}
{
}

std::optional<Pod> Pod::open(const model::Layout& layout, PodStage stage, const PodId& id)
{
    auto dir = sys::open_if_exists(AT_FDCWD, layout.pod(stage, id), directory);
    if (!dir)
        return std::nullopt;
    return Pod{layout, stage, id, std::move(*dir)};
}

std::optional<Pod> Pod::open(const model::Layout& layout, const PodId& id)
{
    for (const auto stage : model::pod_stages)
        if (auto pod = open(layout, stage, id))
            return pod;
    return std::nullopt;
}

State Pod::refresh()
{
    const bool locked = is_locked_exclusively(fd(), ".");
    const auto stage = stage_now(layout_, id_, fd()); // after the lock: an exited pod may be moved, never run again
    if (stage)
        stage_ = *stage;
    return state_ = stage ? state_of(*stage, locked) : State::gone;
}

std::optional<Time> Pod::mtime(const std::string& file) const
{
    const auto info = sys::stat_if_exists(fd(), file);
    return info ? std::optional{time_of(info->st_mtim)} : std::nullopt;
}

std::optional<Time> Pod::created() const
{
    return mtime(model::pod_dir::created);
}

std::optional<Time> Pod::started() const
{
    return mtime(model::pod_dir::ppid);
}

std::optional<pid_t> Pod::supervisor() const
{
    constexpr std::size_t longest_number = 64;
    const auto text = file::read_if_exists(fd(), model::pod_dir::ppid, longest_number);
    const auto number = text ? text::parse_signed(text->substr(0, text->find('\n')), 1, INT32_MAX) : std::nullopt;
    return number ? std::optional{static_cast<pid_t>(*number)} : std::nullopt;
}

std::optional<Time> Pod::marked() const
{
    if (stage_ != PodStage::exited_garbage)
        return std::nullopt;
    const auto recorded = mtime(model::pod_dir::gc_marked);
    return recorded ? recorded : time_of(sys::stat(fd()).st_ctim);
}

Fd Pod::reopen() const
{
    return sys::open(fd(), ".", directory);
}

bool Pod::move_to(PodStage stage, Durable durable)
{
    const auto from = sys::open(AT_FDCWD, layout_.pods(stage_), directory);
    const auto to = sys::open(AT_FDCWD, layout_.pods(stage), directory);
    try {
        sys::rename(from.get(), id_.str(), to.get(), id_.str());
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::not_found)
            return false;
        throw;
    }
    stage_ = stage;
    if (durable == Durable::yes) {
        sys::fsync(to.get());
        sys::fsync(from.get());
    }
    return true;
}

const std::vector<PodStage>& visible_stages()
{
    static const std::vector<PodStage> stages{PodStage::prepare, PodStage::prepared, PodStage::run,
                                              PodStage::exited_garbage};
    return stages;
}

std::vector<Place> walk(const model::Layout& layout, const std::vector<PodStage>& stages)
{
    std::map<PodId, PodStage> found; // a pod that moves on while we walk is seen twice: the later stage counts
    for (const auto stage : stages) {
        auto fd = sys::open_if_exists(AT_FDCWD, layout.pods(stage), directory);
        if (!fd)
            continue;
        const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(fd->get()), ::closedir};
        if (!stream)
            throw system_error(errno, fmt::format("reading {}", text::quoted(layout.pods(stage))));
        [[maybe_unused]] const int owned = fd->release();
        while (const auto* entry = ::readdir(stream.get())) {
            const std::string_view name = entry->d_name;
            try {
                auto id = PodId::parse(name);
                if (id.str() == name)
                    found.insert_or_assign(std::move(id), stage);
            } catch (const Error&) {
                continue; // ".", "..", or not ours
            }
        }
    }
    std::vector<Place> places;
    places.reserve(found.size());
    for (const auto& [id, stage] : found)
        places.push_back({stage, id});
    return places;
}

Pod find(const model::Layout& layout, std::string_view argument)
{
    const auto prefix = model::PodIdPrefix::parse(argument);
    auto places = walk(layout, visible_stages());
    std::erase_if(places, [&](const Place& place) { return !prefix.matches(place.id); });
    if (places.size() > 1)
        fail(Error::Kind::usage, "ambiguous uuid, {} matches", places.size());
    auto pod = places.empty() ? std::nullopt : Pod::open(layout, places.front().id);
    if (!pod)
        throw Error{Error::Kind::not_found, fmt::format("no matches found for {}", text::quoted(argument)),
                    "rocket list shows the pods there are"};
    return std::move(*pod);
}

Pod find_to_end(const model::Layout& layout, std::string_view argument)
{
    constexpr std::size_t shortest = 4;
    if (!argument.empty() && argument.size() < shortest)
        throw Error{Error::Kind::usage, fmt::format("{} is too short to end a pod by", text::quoted(argument)),
                    fmt::format("give at least {} characters of its UUID", shortest)};
    return find(layout, argument);
}

} // namespace rocket::pod

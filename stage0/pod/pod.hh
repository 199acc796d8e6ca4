// SPDX-License-Identifier: Apache-2.0
// Pods on disk: a pod is a directory, its state is where that directory lies and whether somebody holds its lock
// (cli 6.2). Observers only ever try the lock, shared, so they never disturb an owner or each other.
// Errors: Kind::not_found when a pod vanished meanwhile, Kind::usage for a bad UUID argument.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/layout.hh"
#include "common/model/names.hh"
#include "common/sys/fd.hh"
#include "common/sys/lock.hh"

namespace rocket::pod
{

using model::PodId;
using model::PodStage;
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

enum class State {
    embryo,
    preparing,
    aborted_prepare,
    prepared,
    running,
    exited,
    exited_deleting,
    exited_garbage,
    deleting,
    garbage,
    gone,
};
std::string_view name_of(State state) noexcept; // as printed: "exited garbage"
State state_of(PodStage stage, bool locked) noexcept;
bool has_ended(State state) noexcept;   // it ran and does not any more, or never will
bool is_finished(State state) noexcept; // what `status --wait` waits for

// An open pod directory. The descriptor stays good while others rename the directory.
class Pod
{
public:
    Pod(const model::Layout& layout, PodStage stage, PodId id, Fd dir);
    // nullopt if there is no such directory (any more).
    static std::optional<Pod> open(const model::Layout& layout, PodStage stage, const PodId& id);
    // Wherever it is; looked for in the order of the life cycle, so that one that moves on meanwhile is found.
    static std::optional<Pod> open(const model::Layout& layout, const PodId& id);

    const PodId& id() const noexcept { return id_; }
    int fd() const noexcept { return dir_.get(); }
    const model::Layout& layout() const noexcept { return layout_; }
    PodStage stage() const noexcept { return stage_; } // where it was found
    std::string path() const { return layout_.pod(stage_, id_); }
    State state() const noexcept { return state_; } // as of opening, or the last refresh()
    State refresh();

    std::optional<Time> mtime(const std::string& file) const;
    std::optional<Time> created() const; // nullopt before it is prepared (Q36)
    std::optional<Time> started() const;
    std::optional<pid_t> supervisor() const; // of the last start; once that has ended, anybody's
    std::optional<Time> marked() const;      // by gc; older marks: ctime of the directory

    // A second descriptor of the directory, for a lock of one's own.
    Fd reopen() const;
    // Moves it to another stage. false if it is not in `stage()` any more.
    enum class Durable { no, yes };
    bool move_to(PodStage stage, Durable durable = Durable::yes);

private:
    model::Layout layout_;
    PodStage stage_;
    PodId id_;
    Fd dir_;
    State state_;
};

struct Place {
    PodStage stage;
    PodId id;
};
// Pods of these stages, sorted by id, each once. A missing directory is an empty one; foreign names are skipped.
std::vector<Place> walk(const model::Layout& layout, const std::vector<PodStage>& stages);
// What users can name and see: all but embryo and garbage.
const std::vector<PodStage>& visible_stages();

// The only pod whose id begins with `argument`: "UUID cannot be empty", no matches found for "x", ambiguous uuid.
Pod find(const model::Layout& layout, std::string_view argument);
// The same for what cannot be undone: too few characters are taken for a slip of the hand (Q37).
Pod find_to_end(const model::Layout& layout, std::string_view argument);

} // namespace rocket::pod

// SPDX-License-Identifier: Apache-2.0
// What `rocket update` did to a unit of the host, and what the unit is held at since it was gone back: a file per unit
// in DATA/deployments, replaced in one step. A unit has pins only while it is held at other images than its references
// mean; the next update that succeeds removes them. Errors: Kind::corrupt, Kind::usage for a name that is none of a
// unit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/layout.hh"
#include "common/model/names.hh"
#include "common/sys/lock.hh"

namespace rocket::update
{

// By reference, as the unit's command line has it.
using Images = std::map<std::string, model::ImageId>;

enum class Outcome {
    trying,      // the unit was restarted, or is about to be; nobody has said yet how that went
    kept,        // it runs with the new images
    went_back,   // it did not, and was restarted with the old ones
    failed,      // it did not, and what it ran before is not known
    rolled_back, // somebody said so: from `before`, the newer ones, to `after`
};
std::string_view name_of(Outcome outcome) noexcept; // "went back"

struct Change {
    std::int64_t time_ns = 0; // since the epoch
    Images before, after;
    Outcome outcome = Outcome::trying;
    std::string reason = {}; // why it did not run
};

struct Deployment {
    Images pins;                 // what these references mean to this unit, instead of what they mean to others
    std::vector<Change> history; // the newest last; old ones are dropped

    static Deployment parse(std::string_view text);
    std::string text() const;
    void add(Change change);

    // Whether these images did not run in this unit, or were rolled back from, and did not run later.
    bool is_bad(const Images& images) const;
    // What the last change came to, as far as is known: what it is started with next.
    Images latest() const;
    // What it ran before the change that was kept and brought `now`; of what no change is known of, before the last
    // one that was kept. nullptr if there is none.
    const Images* previous(const Images& now) const;
};

// "web" is web.service. Kind::usage for anything but a service.
std::string unit_name(const std::string& given);

// One that nobody has changed yet is an empty one.
Deployment load(const model::Layout& layout, const std::string& unit);
std::vector<std::string> all_units(const model::Layout& layout); // that have a deployment

// A deployment that nobody else changes meanwhile. Kind::busy.
class OwnedDeployment
{
public:
    OwnedDeployment(const model::Layout& layout, std::string unit);
    Deployment* operator->() noexcept { return &deployment_; }
    const Deployment* operator->() const noexcept { return &deployment_; }
    void save() const; // on disk when this returns

private:
    Fd dir_;
    std::string unit_;
    Lock lock_;
    Deployment deployment_;
};

// Of the unit that this process is in; empty outside of units.
Images own_pins(const model::Layout& layout);
// What units may be restarted with: pins, the two sides of each last change, and what is gone back to from there.
std::set<model::ImageId> images_in_use(const model::Layout& layout);

} // namespace rocket::update

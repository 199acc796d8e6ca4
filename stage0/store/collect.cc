// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/collect.hh"

#include <algorithm>

#include "common/sys/sys.hh"
#include "stage0/store/foreign_use.hh"
#include "stage0/store/usage.hh"

namespace rocket::store
{

namespace
{

struct Candidate {
    Entry entry;
    std::int64_t used_ns = 0;
};

bool is_kept(const Entry& entry, const CollectOptions& options)
{
    return options.kept_ids.contains(entry.id) ||
           std::any_of(options.kept.begin(), options.kept.end(), [&](const model::ImageName& name) {
               return name.name == entry.name && model::satisfies(entry.labels, name.labels);
           });
}

class Collector
{
public:
    Collector(Store& store, const CollectOptions& options, const CollectReport& report);
    void run();

private:
    bool is_due(const Candidate& candidate) const;
    void remove(const Candidate& candidate);

    Store& store_;
    const CollectOptions& options_;
    const CollectReport& report_;
    std::int64_t oldest_kept_ns_;
    std::uint64_t store_bytes_ = 0;
    std::vector<Candidate> candidates_; // the least recently used first
};

Collector::Collector(Store& store, const CollectOptions& options, const CollectReport& report)
    : store_{store}, options_{options}, report_{report}, oldest_kept_ns_{sys::realtime_nsec() -
                                                                         std::int64_t{options.grace_period.count()}}
{
    const auto used = images_used_by_pods(store.layout(), Using::kept);
    const auto foreign = foreign_uses(store.layout());
    for (auto& entry : store.list()) {
        store_bytes_ += entry.size;
        if (!used.contains(entry.id) && !foreign.contains(entry.id) && !is_kept(entry, options)) {
            const auto used_ns = store.last_used_ns(entry.id);
            candidates_.push_back({std::move(entry), used_ns});
        }
    }
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.used_ns < b.used_ns; });
}

bool Collector::is_due(const Candidate& candidate) const
{
    return candidate.used_ns <= oldest_kept_ns_ || (options_.largest_store && store_bytes_ > *options_.largest_store);
}

void Collector::remove(const Candidate& candidate)
{
    const auto& id = candidate.entry.id;
    try {
        const bool had_tree = sys::stat_if_exists(AT_FDCWD, store_.layout().tree(id)).has_value();
        if (store_.remove(id, Using::kept)) // looks again: a pod may have come meanwhile
            report_.removed(id, had_tree);
        store_bytes_ -= std::min(store_bytes_, candidate.entry.size);
    } catch (const Error& error) {
        report_.problem(id, error);
    }
}

void Collector::run()
{
    // An image goes only after those that depend on it, whatever order they were used in.
    for (std::size_t before = candidates_.size() + 1; candidates_.size() < before;) {
        before = candidates_.size();
        std::erase_if(candidates_, [&](const Candidate& candidate) {
            if (!is_due(candidate) || store_.find_dependent(candidate.entry.id))
                return false;
            remove(candidate);
            return true;
        });
    }
}

} // namespace

void collect_images(Store& store, const CollectOptions& options, const CollectReport& report)
{
    store.tidy();
    Collector{store, options, report}.run();
}

} // namespace rocket::store

// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/gc.hh"

#include "common/sys/text.hh"
#include "stage0/pod/new_pod.hh"
#include "stage0/pod/remove_pod.hh"

namespace rocket::pod
{

namespace
{

class Collector
{
public:
    Collector(const model::Layout& layout, const GcOptions& options, const GcReport& report)
        : layout_{layout}, options_{options}, report_{report}
    {
    }

    void run() const
    {
        each(PodStage::embryo, [this](Pod pod) { discard(std::move(pod)); }); // killed before it had a lock
        each(PodStage::run, [this](Pod pod) { mark(std::move(pod)); });
        each(PodStage::prepare, [this](Pod pod) { set_failed_aside(std::move(pod)); });
        if (options_.mark_only)
            return;
        each(PodStage::prepared, [this](Pod pod) { expire(std::move(pod)); });
        each(PodStage::exited_garbage, [this](Pod pod) { sweep(std::move(pod)); });
        each(PodStage::garbage, [this](Pod pod) { announce_and_remove(std::move(pod)); });
        sweep_garbage(layout_);
    }

private:
    static std::chrono::nanoseconds age_of(Time then) { return std::chrono::system_clock::now() - then; }

    template <typename Act>
    void each(PodStage stage, Act act) const
    {
        for (const auto& place : walk(layout_, {stage})) {
            try {
                if (auto pod = Pod::open(layout_, stage, place.id))
                    act(std::move(*pod));
            } catch (const Error& error) {
                report_.problem(place.id, error);
            }
        }
    }

    void note(const Pod& pod, const char* before, const std::string& after) const
    {
        report_.note(fmt::format("{} {} {}", before, text::quoted(pod.id().str()), after));
    }

    void discard(Pod pod) const
    {
        if (auto owned = try_own(std::move(pod)))
            remove(std::move(*owned));
    }

    void mark(Pod pod) const
    {
        if (pod.state() != State::exited)
            return;
        note(pod, "moving pod", "to garbage");
        mark_exited(pod);
    }

    void set_failed_aside(Pod pod) const
    {
        if (auto owned = try_own(std::move(pod))) {
            note(owned->pod, "moving failed prepare", "to garbage");
            owned->pod.move_to(PodStage::garbage);
        }
    }

    void expire(Pod pod) const
    {
        const auto created = pod.created();
        if (created && age_of(*created) < options_.expire_prepared)
            return;
        if (auto owned = try_own(std::move(pod))) { // or run-prepared was faster
            note(owned->pod, "moving expired prepared pod", "to garbage");
            owned->pod.move_to(PodStage::garbage);
        }
    }

    void sweep(Pod pod) const
    {
        const auto marked = pod.marked();
        if (marked && age_of(*marked) < options_.grace_period) {
            note(pod, "pod", fmt::format("not removed: still within grace period ({})", report_.grace_period));
            return;
        }
        announce_and_remove(std::move(pod));
    }

    void announce_and_remove(Pod pod) const
    {
        if (auto owned = try_own(std::move(pod))) {
            report_.deleting(owned->pod.id());
            remove(std::move(*owned));
        }
    }

    void remove(OwnedPod owned) const
    {
        const auto id = owned.pod.id();
        remove_owned(std::move(owned), [&](const Error& warning) { report_.problem(id, warning); });
    }

    model::Layout layout_;
    const GcOptions& options_;
    const GcReport& report_;
};

} // namespace

void collect_garbage(const model::Layout& layout, const GcOptions& options, const GcReport& report)
{
    Collector{layout, options, report}.run();
}

} // namespace rocket::pod

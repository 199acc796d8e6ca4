// SPDX-License-Identifier: Apache-2.0
// Garbage collection (cli 8.10): marks pods that have ended, deletes those marked long enough ago, and finishes what
// killed commands have left half-made. Locks are only ever tried: what somebody works on is his (Q41).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "common/sys/error.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

struct GcOptions {
    std::chrono::nanoseconds grace_period = std::chrono::minutes{30};  // from marking to deletion
    std::chrono::nanoseconds expire_prepared = std::chrono::hours{24}; // from preparation
    bool mark_only = false;
};

// Where gc says what it does.
struct GcReport {
    std::string grace_period;                                // as it is shown
    std::function<void(const std::string&)> note;            // "moving pod ... to garbage"
    std::function<void(const PodId&)> deleting;              // about to delete
    std::function<void(const PodId&, const Error&)> problem; // with one pod; the others go on
};

// Throws only if the pod directories cannot be read.
void collect_garbage(const model::Layout& layout, const GcOptions& options, const GcReport& report);

} // namespace rocket::pod

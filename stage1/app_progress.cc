// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_progress.hh"

#include <csignal>

#include <algorithm>

namespace rocket::stage1
{

namespace
{

template <typename Value>
void take(std::optional<Value>& into, const std::optional<Value>& from)
{
    if (from)
        into = from;
}

} // namespace

void AppProgress::apply(const UnitChange& change)
{
    in_doubt_ = false;
    if (has_ended())
        return;
    take(last_.active_state, change.active_state);
    take(last_.sub_state, change.sub_state);
    take(last_.result, change.result);
    take(last_.exec_code, change.exec_code);
    take(last_.exec_status, change.exec_status);
    take(last_.started_usec, change.started_usec);
    take(last_.finished_usec, change.finished_usec);
    take(last_.restarts, change.restarts);
    for (const auto& pid : {change.control_pid, change.main_pid}) // the main one wins
        if (pid && *pid != 0)
            pid_ = *pid;
    if (!change.active_state) // the other half of the news comes in a signal of its own
        return;

    const auto& state = *change.active_state;
    if (state == "active")
        up_ = true;
    if (restarting_ && state != "active")
        has_stopped_ = true;
    else if (has_stopped_) // and is up again
        restarting_ = has_stopped_ = false;
    const bool main_has_ended = last_.exec_code.value_or(0) != 0;
    const bool bad_result = last_.result && *last_.result != "success";
    // Stopped inside the pod: systemctl, poweroff. A failed pre-start handler looks alike, but for its result.
    if (state == "deactivating" && !main_has_ended && !bad_result && !restarting_)
        stopping_ = true;
    // A new unit can be reported "inactive" before its job runs, and can run so fast that nothing else is ever
    // reported.
    const bool is_over =
        state == "failed" || (state == "inactive" && (seen_moving_ || main_has_ended || bad_result || stopping_));
    // A unit that is started again passes through both states, and is then still or again PID 1's to do.
    if (is_over && may_restart_ && !stopping_ && (!change.is_answer || change.has_job))
        in_doubt_ = !change.is_answer;
    else if (is_over)
        conclude();
    else if (state != "inactive")
        seen_moving_ = true;
}

void AppProgress::conclude()
{
    AppResult result;
    const int how = last_.exec_code.value_or(0);
    const int status = last_.exec_status.value_or(0);
    main_ran_ = how != 0;
    if (how == CLD_KILLED || how == CLD_DUMPED)
        result.signal = status;
    else if (how == CLD_EXITED)
        result.code = status;
    else
        result.code = stopping_ ? 0 : 1; // stopped before it started; or its pre-start handler failed
    if (unhealthy_ && result.status() == 0)
        result.code = 1;
    if (last_.result == "start-limit-hit" && result.status() == 0)
        result.code = 1; // it ended well each time, and far too often
    result.oom = last_.result == "oom-kill";
    result.restarts = last_.restarts.value_or(0);
    result.started_ns = last_.started_usec.value_or(0) * 1000;
    result.finished_ns = last_.finished_usec.value_or(0) * 1000;
    result_ = result;
    up_ = up_ || !failed();
}

void AppProgress::end_with(const AppResult& result)
{
    if (!has_ended())
        result_ = result;
}

bool AppProgress::failed() const
{
    if (!has_ended())
        return false;
    if (!stopping_ || unhealthy_)
        return result_->status() != 0;
    // Dying by the signal it was sent, or saying so as a shell does, is what it was asked to do.
    if (result_->signal)
        return *result_->signal != stop_signal_ && *result_->signal != SIGTERM && *result_->signal != SIGKILL;
    const int code = result_->code.value_or(0);
    return code != 0 && code != 128 + stop_signal_ && code != 128 + SIGTERM;
}

bool AppProgress::failed_in_setup() const
{
    return main_ran_ && !up_ && result_->code && *result_->code >= first_setup_failure &&
           *result_->code <= last_setup_failure;
}

} // namespace rocket::stage1

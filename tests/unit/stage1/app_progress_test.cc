// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_progress.hh"

#include <csignal>

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;

namespace
{

UnitChange state(const char* active, const char* result = "success")
{
    return {.active_state = active, .result = result};
}

UnitChange main_ended(int how, int status)
{
    return {.exec_code = how, .exec_status = status, .started_usec = 1, .finished_usec = 2};
}

} // namespace

TEST_CASE("app progress: started, up, ended")
{
    AppProgress app;
    app.apply(state("activating"));
    CHECK_FALSE(app.is_up());
    app.apply({.main_pid = 12});
    app.apply(state("active"));
    CHECK(app.is_up());
    CHECK(app.pid() == 12);
    app.apply(main_ended(CLD_EXITED, 0));
    CHECK_FALSE(app.has_ended()); // a post-stop handler may follow
    app.apply(state("deactivating"));
    app.apply(state("inactive"));
    REQUIRE(app.has_ended());
    CHECK(app.result() == AppResult{.code = 0, .started_ns = 1000, .finished_ns = 2000});
    CHECK_FALSE(app.failed());
}

TEST_CASE("app progress: before its job runs a unit is inactive, too")
{
    AppProgress app;
    app.apply(state("inactive"));
    CHECK_FALSE(app.has_ended());
}

TEST_CASE("app progress: so quick that only its end is ever reported")
{
    AppProgress app;
    app.apply(main_ended(CLD_EXITED, 0));
    app.apply(state("inactive"));
    CHECK(app.has_ended());
    CHECK(app.is_up());
}

TEST_CASE("app progress: exit code and signal are told apart, and both end the pod")
{
    const struct {
        int how, status;
    } ends[] = {{CLD_EXITED, 9}, {CLD_KILLED, 9}, {CLD_DUMPED, 11}, {CLD_KILLED, SIGTERM}};
    for (const auto& end : ends) {
        AppProgress app;
        app.apply(state("active"));
        app.apply(main_ended(end.how, end.status));
        app.apply(state("failed", "exit-code"));
        CAPTURE(end.how);
        CHECK(app.result().code.has_value() == (end.how == CLD_EXITED));
        CHECK(app.result().signal.has_value() == (end.how != CLD_EXITED));
        CHECK(app.result().status() == end.status);
        CHECK(app.failed());
    }
}

TEST_CASE("app progress: what a stop brings about is no failure, other codes are")
{
    const struct {
        int how, status;
        bool failed;
    } ends[] = {{CLD_EXITED, 0, false},       {CLD_EXITED, 143, false},     {CLD_EXITED, 3, true},
                {CLD_KILLED, SIGTERM, false}, {CLD_KILLED, SIGKILL, false}, {CLD_DUMPED, SIGSEGV, true}};
    for (const bool from_inside : {false, true})
        for (const auto& end : ends) {
            AppProgress app;
            app.apply(state("active"));
            if (from_inside)
                app.apply(state("deactivating")); // systemctl stop, poweroff: before its main process has ended
            else
                app.stop_requested();
            app.apply(main_ended(end.how, end.status));
            app.apply(state("inactive"));
            CAPTURE(end.status);
            CHECK(app.failed() == end.failed);
        }
}

TEST_CASE("app progress: out of memory")
{
    AppProgress app;
    app.apply(state("active"));
    app.apply(main_ended(CLD_KILLED, SIGKILL));
    app.apply(state("failed", "oom-kill"));
    CHECK(app.result().oom);
}

TEST_CASE("app progress: PID 1's own exit statuses count only before the app ran")
{
    for (const bool was_up : {false, true}) {
        AppProgress app;
        app.apply(state(was_up ? "active" : "activating"));
        app.apply(main_ended(CLD_EXITED, AppProgress::exec_failed));
        app.apply(state("failed", "exit-code"));
        CHECK(app.failed_in_setup() == !was_up);
        CHECK(app.result().status() == 203);
    }
}

TEST_CASE("app progress: a pre-start handler that fails is a failure of the app")
{
    AppProgress app;
    app.apply(state("activating"));
    app.apply(state("inactive", "exec-condition"));
    CHECK(app.failed());
    CHECK(app.failed_before_main());
}

TEST_CASE("app progress: what may be started again has ended only when PID 1, asked, says so (L3)")
{
    const model::AppPolicy policy{.restart = model::AppPolicy::Restart::on_failure};
    AppProgress app{policy};
    app.apply(state("active"));
    app.apply(main_ended(CLD_EXITED, 4));
    app.apply(state("failed", "exit-code"));
    CHECK(app.is_in_doubt());
    CHECK_FALSE(app.has_ended());
    app.apply({.active_state = "activating", .sub_state = "auto-restart", .is_answer = true});
    CHECK_FALSE(app.is_in_doubt());
    app.apply({.active_state = "inactive", .has_job = true, .is_answer = true}); // on its way from one to the other
    CHECK_FALSE(app.is_in_doubt());
    CHECK_FALSE(app.has_ended());
    app.apply({.active_state = "active", .restarts = 1});
    app.apply(main_ended(CLD_EXITED, 5));
    app.apply({.active_state = "failed", .result = "start-limit-hit", .is_answer = true});
    REQUIRE(app.has_ended());
    CHECK(app.result().restarts == 1);
    CHECK(app.result().code == 5);
    CHECK(app.failed());
}

TEST_CASE("app progress: to end well, but far too often, is a failure")
{
    AppProgress app{{.restart = model::AppPolicy::Restart::always}};
    app.apply(state("active"));
    app.apply(main_ended(CLD_EXITED, 0));
    app.apply({.active_state = "failed", .result = "start-limit-hit", .is_answer = true});
    CHECK(app.failed());
}

TEST_CASE("app progress: the stop signal of its own is no failure")
{
    AppProgress app{{.stop_signal = SIGUSR1}};
    app.apply(state("active"));
    app.stop_requested();
    app.apply(main_ended(CLD_KILLED, SIGUSR1));
    app.apply(state("inactive"));
    CHECK_FALSE(app.failed());
}

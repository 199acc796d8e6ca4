// SPDX-License-Identifier: Apache-2.0
#include "common/sys/process.hh"

#include <csignal>
#include <unistd.h>

#include <doctest/doctest.h>

#include "common/sys/cgroup.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"

using namespace rocket;

namespace
{

Spawn shell(const std::string& script)
{
    return {.program = "/bin/sh", .argv = {"sh", "-c", script}, .env = {"A=b"}};
}

} // namespace

TEST_CASE("process: exit codes and signals are told apart")
{
    CHECK(spawn(shell("exit 7")).wait().code == 7);
    const auto killed = spawn(shell("kill -TERM $$")).wait();
    CHECK(killed.signal == SIGTERM);
    CHECK(killed.shell_status() == 143);
}

TEST_CASE("process: a program that cannot be started is an error here")
{
    CHECK_THROWS_AS(spawn({.program = "/nonexistent", .argv = {"x"}}), Error);
}

TEST_CASE("process: the child has what it was given and nothing else")
{
    auto pipe = sys::make_pipe();
    auto what = shell("ls /proc/self/fd | tr '\\n' ' '; env | grep -v -e PWD -e SHLVL -e '^_='");
    what.fds = {{1, pipe.write.get()}};
    auto child = spawn(what);
    pipe.write.reset();
    // ls has its own directory descriptor: 3.
    CHECK(sys::read_to_end(pipe.read.get(), 1000) == "0 1 2 3 A=b\n");
    CHECK(child.wait().ok());
}

TEST_CASE("process: descriptors can be swapped on the way")
{
    auto pipe = sys::make_pipe();
    auto what = shell("echo five >&5; echo four >&4");
    auto other = sys::make_pipe();
    what.fds = {{4, pipe.write.get()}, {5, other.write.get()}};
    auto child = spawn(what);
    pipe.write.reset();
    other.write.reset();
    CHECK(sys::read_to_end(pipe.read.get(), 1000) == "four\n");
    CHECK(sys::read_to_end(other.read.get(), 1000) == "five\n");
    child.wait();
}

TEST_CASE("process: ends with its owner, and waiting has a limit")
{
    pid_t pid = 0;
    {
        auto child = spawn(shell("exec sleep 60"));
        pid = child.pid();
        CHECK(start_time(pid));
        CHECK_FALSE(child.wait_for(10));
    }
    CHECK_FALSE(start_time(pid));
    CHECK_FALSE(open_pidfd(pid));
}

TEST_CASE("log: with --debug the whole tree, without it the innermost cause (cli 1.3)")
{
    Error error{Error::Kind::system, "no space left on device"};
    error.add_context("error preparing stage1").add_context("error setting up stage0");
    CHECK(log::describe(error, "", false) == "no space left on device");
    CHECK(log::describe(error, "ctx", false) == "ctx: no space left on device");
    CHECK(log::describe(error, "", true) ==
          "error setting up stage0\n  └─error preparing stage1\n    └─no space left on device");
}

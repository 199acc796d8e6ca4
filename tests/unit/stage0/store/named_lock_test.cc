// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/named_lock.hh"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "scratch.hh"

using namespace rocket;
using store::NamedLock;

TEST_CASE("a named lock is held by one, and leaves no file behind")
{
    const Scratch scratch;
    const auto path = scratch.path() + "/lock";
    {
        const auto lock = NamedLock::take(path);
        CHECK_FALSE(lock.had_to_wait());
        CHECK_FALSE(NamedLock::try_take(path));
    }
    CHECK(scratch.names().empty());
    CHECK(NamedLock::try_take(path));
}

TEST_CASE("whoever had to wait for a lock knows it")
{
    const Scratch scratch;
    const auto path = scratch.path() + "/lock";
    std::optional<NamedLock> first{NamedLock::take(path)};
    std::thread second{[&] {
        const auto lock = NamedLock::take(path, [&] { first.reset(); });
        CHECK(lock.had_to_wait());
    }};
    second.join();
}

TEST_CASE("many that wait for a lock get it one after the other")
{
    const Scratch scratch;
    const auto path = scratch.path() + "/lock";
    std::atomic<int> inside = 0;
    std::atomic<int> clashes = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                const auto lock = NamedLock::take(path);
                if (++inside != 1)
                    ++clashes;
                --inside;
            }
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(clashes == 0);
    CHECK(scratch.names().empty());
}

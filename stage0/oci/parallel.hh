// SPDX-License-Identifier: Apache-2.0
// A few pieces of work at the same time, each in a thread of its own. The first error is thrown by wait(); work that
// was not begun by then is left out.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rocket::oci
{

class Parallel
{
public:
    explicit Parallel(std::size_t at_once) : free_{at_once} {}
    Parallel(const Parallel&) = delete;
    Parallel& operator=(const Parallel&) = delete;
    ~Parallel() { join(); }

    void start(std::function<void()> work); // waits until there is room
    void wait();

private:
    void run(const std::function<void()>& work) noexcept;
    void join();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t free_;
    std::exception_ptr failed_;
    std::vector<std::thread> threads_;
};

} // namespace rocket::oci

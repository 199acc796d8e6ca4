// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/parallel.hh"

namespace rocket::oci
{

void Parallel::start(std::function<void()> work)
{
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return free_ > 0; });
    if (failed_)
        return;
    --free_;
    threads_.emplace_back([this, work = std::move(work)] { run(work); });
}

void Parallel::run(const std::function<void()>& work) noexcept
{
    std::exception_ptr failed;
    try {
        work();
    } catch (...) {
        failed = std::current_exception();
    }
    const std::lock_guard lock{mutex_};
    if (!failed_)
        failed_ = failed;
    ++free_;
    changed_.notify_all();
}

void Parallel::join()
{
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
}

void Parallel::wait()
{
    join();
    if (failed_)
        std::rethrow_exception(failed_);
}

} // namespace rocket::oci

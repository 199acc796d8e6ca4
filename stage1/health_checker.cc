// SPDX-License-Identifier: Apache-2.0
#include "stage1/health_checker.hh"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage1/unit_properties.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t first_delay_usec = 100'000; // of an app that has just been executed
constexpr std::uint64_t retry_usec = 1'000'000;
constexpr std::size_t output_limit = 1024;
constexpr int not_started = 254;

std::uint64_t now_usec()
{
    return static_cast<std::uint64_t>(sys::realtime_nsec()) / 1000;
}

// The app's, but for what it does and how it is supervised.
std::vector<UnitProperty> check_properties(AppSpec spec, const Command& command, std::uint64_t timeout)
{
    spec.main = command;
    spec.pre_start.reset();
    spec.post_stop.reset();
    spec.notifies = false;
    spec.watchdog_usec.reset();
    auto all = unit_properties(spec, {});
    for (auto& property : all)
        if (property.name == "Type")
            property.value = std::string{"oneshot"};
        else if (property.name == "TimeoutStartUSec")
            property.value = timeout;
        else if (property.name == "KillMode")
            property.value = std::string{"control-group"};
    all.push_back({"TimeoutStartFailureMode", std::string{"kill"}});
    all.push_back({"CollectMode", std::string{"inactive-or-failed"}});
    all.push_back({"Description", "Health of app " + spec.name});
    return all;
}

} // namespace

HealthChecker::HealthChecker(EventLoop& loop, const AppSpec& spec, const model::HealthCheck& check, Events events)
    : loop_{loop}, spec_{spec}, check_{check}, events_{std::move(events)}
{
}

void HealthChecker::app_runs()
{
    if (health_)
        return;
    health_.emplace(check_, now_usec());
    events_.checked(Health::Change::none); // "starting"
    wait(first_delay_usec);
}

void HealthChecker::app_rests()
{
    timer_.reset();
    health_.reset();
    if (auto* const manager = events_.manager(); manager != nullptr && !unit_.empty())
        manager->stop(unit_, nullptr);
    unit_.clear(); // what it still says is about an app that is gone
    readable_.reset();
}

void HealthChecker::wait(std::uint64_t usec)
{
    timer_ = loop_.after(usec, [this](std::uint32_t) { begin(); });
}

void HealthChecker::begin()
{
    auto* const manager = events_.manager();
    if (manager == nullptr)
        return wait(retry_usec);
    const auto& command = health_->checks_startup() ? spec_.startup_check : spec_.health_check;
    unit_ = fmt::format("health-{}-{}.service", spec_.name, ++number_); // PID 1 may not have forgotten the last one yet
    progress_ = AppProgress{};
    output_.clear();
    auto pipe = sys::make_pipe();
    pipe_ = std::move(pipe.read);
    readable_ = loop_.on_io(pipe_.get(), EPOLLIN, [this](std::uint32_t) { read(); });
    manager->start_transient(unit_, check_properties(spec_, command.value(), health_->timeout()),
                             {.output = pipe.write.get(), .error = pipe.write.get()},
                             [this, unit = unit_, alive = std::weak_ptr{alive_}](const std::string* error) {
                                 if (alive.expired() || error == nullptr || unit != unit_)
                                     return;
                                 output_ = *error;
                                 progress_.end_with({.code = not_started});
                                 end();
                             });
}

void HealthChecker::read()
{
    char bytes[4096];
    const auto size = ::read(pipe_.get(), bytes, sizeof bytes);
    if (size <= 0)
        return readable_.reset();
    if (output_.size() < output_limit)
        output_.append(bytes, std::min(static_cast<std::size_t>(size), output_limit - output_.size()));
}

bool HealthChecker::on_unit(const std::string& unit, const UnitChange& change)
{
    if (unit_.empty() || unit != unit_)
        return false;
    progress_.apply(change);
    if (progress_.has_ended())
        end();
    return true;
}

// Its end may have been told to nobody.
void HealthChecker::on_reconnected()
{
    if (auto* const manager = events_.manager(); manager != nullptr && !unit_.empty())
        manager->refresh(unit_);
}

void HealthChecker::end()
{
    sys::set_nonblocking(pipe_.get(), true); // something it has started may hold the other end
    while (readable_ && output_.size() < output_limit) {
        const auto before = output_.size();
        read();
        if (output_.size() == before)
            break;
    }
    readable_.reset();
    pipe_.reset();
    unit_.clear();
    const auto& result = progress_.result();
    last_ = {.finished_ns = static_cast<std::uint64_t>(sys::realtime_nsec()),
             .status = result.status(),
             .output = text::printable(text::trim(output_))};
    const auto change = health_->note(result.status() == 0, now_usec());
    wait(health_->delay(now_usec()));
    events_.checked(change); // the last: it may have the app stopped
}

} // namespace rocket::stage1

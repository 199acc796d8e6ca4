// SPDX-License-Identifier: Apache-2.0
#include "common/model/app_policy.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::string_view prefix = "rocket/";
constexpr std::array<std::string_view, 3> notify_words{"started", "ready", "speaker"};
constexpr std::array<std::string_view, 6> restart_words{"no",          "on-success", "on-failure",
                                                        "on-abnormal", "on-abort",   "always"};

template <typename... Arg>
[[noreturn]] void reject(fmt::format_string<Arg...> reason, Arg&&... arg)
{
    throw Error{Error::Kind::usage, fmt::format(reason, std::forward<Arg>(arg)...)};
}

// "5", "5s", "100ms", "2min": microseconds.
std::uint64_t time_span(std::string_view value)
{
    struct Unit {
        std::string_view word;
        std::uint64_t usec;
    };
    constexpr std::array<Unit, 5> units{
        {{"", 1'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"min", 60'000'000}, {"h", 3'600'000'000}}};
    constexpr std::uint64_t longest = 366ULL * 24 * 3'600'000'000;
    const auto end_of_number = std::min(value.find_first_not_of("0123456789"), value.size());
    const auto number = text::parse_decimal(value.substr(0, end_of_number), longest);
    const auto* const unit = std::ranges::find(units, value.substr(end_of_number), &Unit::word);
    if (!number || unit == units.end() || *number > longest / unit->usec)
        reject("{} is no time: write a number and ms, s, min or h, as in 5s", text::quoted(value));
    return *number * unit->usec;
}

// The enumerator that stands where the word does.
template <typename Enum, std::size_t count>
Enum one_of(const std::array<std::string_view, count>& words, std::string_view value)
{
    const auto* const found = std::ranges::find(words, value);
    if (found == words.end())
        reject("{} is none of {}", text::quoted(value), fmt::join(words, ", "));
    return static_cast<Enum>(found - words.begin());
}

std::uint32_t burst(std::string_view value)
{
    const auto number = text::parse_decimal(value, 1'000'000);
    if (!number || *number == 0)
        reject("{} is no number of starts, which is at least 1", text::quoted(value));
    return static_cast<std::uint32_t>(*number);
}

std::vector<AppName> app_names(std::string value)
{
    std::ranges::replace(value, ' ', ',');
    std::vector<AppName> names;
    for (const auto& name : text::split(value, ','))
        if (!name.empty())
            names.push_back(AppName::parse(name));
    if (names.empty())
        reject("no app is named");
    return names;
}

bool ends_pod(std::string_view value)
{
    if (value != "end-pod" && value != "keep-pod")
        reject("{} is neither end-pod nor keep-pod", text::quoted(value));
    return value == "end-pod";
}

int signal_number(std::string_view value)
{
    const auto signal = parse_signal(value);
    if (!signal)
        reject("{} is no signal", text::quoted(value));
    return *signal;
}

struct Setting {
    std::string_view name; // after "rocket/"
    void (*apply)(AppPolicy& policy, const std::string& value);
};

constexpr std::array<Setting, 10> settings{{
    {"after", [](AppPolicy& policy, const std::string& value) { policy.after = app_names(value); }},
    {"notify", [](AppPolicy& policy,
                  const std::string& value) { policy.notify = one_of<AppPolicy::Notify>(notify_words, value); }},
    {"on-failure", [](AppPolicy& policy, const std::string& value) { policy.failure_ends_pod = ends_pod(value); }},
    {"requires", [](AppPolicy& policy, const std::string& value) { policy.needs = app_names(value); }},
    {"restart", [](AppPolicy& policy,
                   const std::string& value) { policy.restart = one_of<AppPolicy::Restart>(restart_words, value); }},
    {"restart-sec", [](AppPolicy& policy, const std::string& value) { policy.restart_usec = time_span(value); }},
    {"start-limit-burst", [](AppPolicy& policy, const std::string& value) { policy.start_limit_burst = burst(value); }},
    {"start-limit-interval-sec",
     [](AppPolicy& policy, const std::string& value) { policy.start_limit_usec = time_span(value); }},
    {"stop-signal", [](AppPolicy& policy, const std::string& value) { policy.stop_signal = signal_number(value); }},
    {"stop-timeout-sec",
     [](AppPolicy& policy, const std::string& value) { policy.stop_timeout_usec = time_span(value); }},
}};

[[noreturn]] void reject_unknown(const std::string& annotation)
{
    std::string known;
    for (const auto& setting : settings)
        known += fmt::format("{}{}{}", known.empty() ? "" : ", ", prefix, setting.name);
    throw Error{Error::Kind::usage, fmt::format("there is no annotation {}", text::quoted(annotation)),
                "those for an app are " + known};
}

} // namespace

std::optional<int> parse_signal(std::string_view value)
{
    constexpr int last_named = 31, first_real_time = 34, last = 64; // as glibc numbers them
    const auto number_up_to = [](std::string_view digits, int max) -> std::optional<int> {
        const auto number = text::parse_decimal(digits, static_cast<std::uint64_t>(max));
        return number ? std::optional{static_cast<int>(*number)} : std::nullopt;
    };
    if (const auto number = number_up_to(value, last))
        return *number > 0 ? number : std::nullopt;
    const auto name = value.starts_with("SIG") ? value.substr(3) : value;
    constexpr std::string_view real_time = "RTMIN+";
    if (name.starts_with(real_time)) {
        const auto offset = number_up_to(name.substr(real_time.size()), last - first_real_time);
        return offset ? std::optional{first_real_time + *offset} : std::nullopt;
    }
    for (int signal = 1; signal <= last_named; ++signal)
        if (const char* known = ::sigabbrev_np(signal); known != nullptr && name == known)
            return signal;
    return std::nullopt;
}

std::string_view word(AppPolicy::Restart restart) noexcept
{
    return restart_words[static_cast<std::size_t>(restart)];
}

AppPolicy policy_of(const Annotations& annotations)
{
    AppPolicy policy;
    for (const auto& annotation : annotations) {
        const auto& name = annotation.name.str();
        if (!name.starts_with(prefix))
            continue;
        const auto* const setting =
            std::ranges::find(settings, std::string_view{name}.substr(prefix.size()), &Setting::name);
        if (setting == settings.end())
            reject_unknown(name);
        with_context("annotation " + name, [&] { setting->apply(policy, annotation.value); });
    }
    for (const auto& app : policy.needs)
        if (std::ranges::find(policy.after, app) == policy.after.end())
            policy.after.push_back(app);
    return policy;
}

} // namespace rocket::model

// SPDX-License-Identifier: Apache-2.0
#include "common/model/app_policy.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "common/model/time_span.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::string_view prefix = "rocket/";
constexpr std::array<std::string_view, 4> notify_words{"started", "ready", "speaker", "healthy"};
constexpr std::array<std::string_view, 6> restart_words{"no",          "on-success", "on-failure",
                                                        "on-abnormal", "on-abort",   "always"};

template <typename... Arg>
[[noreturn]] void reject(fmt::format_string<Arg...> reason, Arg&&... arg)
{
    throw Error{Error::Kind::usage, fmt::format(reason, std::forward<Arg>(arg)...)};
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
    {"restart-sec", [](AppPolicy& policy, const std::string& value) { policy.restart_usec = parse_time_span(value); }},
    {"start-limit-burst", [](AppPolicy& policy, const std::string& value) { policy.start_limit_burst = burst(value); }},
    {"start-limit-interval-sec",
     [](AppPolicy& policy, const std::string& value) { policy.start_limit_usec = parse_time_span(value); }},
    {"stop-signal", [](AppPolicy& policy, const std::string& value) { policy.stop_signal = signal_number(value); }},
    {"stop-timeout-sec",
     [](AppPolicy& policy, const std::string& value) { policy.stop_timeout_usec = parse_time_span(value); }},
}};

[[noreturn]] void reject_unknown(const std::string& annotation)
{
    std::string known;
    for (const auto& setting : settings)
        known += fmt::format("{}{}{}", known.empty() ? "" : ", ", prefix, setting.name);
    throw Error{Error::Kind::usage, fmt::format("there is no annotation {}", text::quoted(annotation)),
                "those for an app are " + known + ", and rocket/health-..."};
}

// Whatever is not ours is left alone.
void apply(AppPolicy& policy, const Annotation& annotation)
{
    const auto& whole = annotation.name.str();
    if (!whole.starts_with(prefix))
        return;
    const auto name = std::string_view{whole}.substr(prefix.size());
    const auto* const setting = std::ranges::find(settings, name, &Setting::name);
    with_context("annotation " + whole, [&] {
        if (setting != settings.end())
            setting->apply(policy, annotation.value);
        else if (!apply_health_setting(policy.health, name, annotation.value))
            reject_unknown(whole);
    });
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
    bool has_health_setting = false;
    for (const auto& annotation : annotations) {
        apply(policy, annotation);
        has_health_setting = has_health_setting || annotation.name.str().starts_with("rocket/health-");
    }
    const bool switched_off = find(annotations, "rocket/health-cmd") != nullptr;
    if (policy.notify == AppPolicy::Notify::healthy && !policy.is_checked())
        reject("nothing says how the app is found to be healthy: rocket/health-cmd is missing");
    if (has_health_setting && !policy.is_checked() && !switched_off)
        reject("rocket/health-... without rocket/health-cmd: nothing would be checked");
    for (const auto& app : policy.needs)
        if (std::ranges::find(policy.after, app) == policy.after.end())
            policy.after.push_back(app);
    return policy;
}

void check_policy_setting(const Annotation& annotation)
{
    AppPolicy policy;
    apply(policy, annotation);
}

} // namespace rocket::model

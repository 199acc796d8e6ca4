// SPDX-License-Identifier: Apache-2.0
#include "common/model/health_check.hh"

#include <algorithm>
#include <array>

#include "common/model/json_object.hh"
#include "common/model/time_span.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::array<std::string_view, 4> action_words{"none", "kill", "restart", "stop"};
constexpr std::uint64_t shortest_usec = 10'000; // between two checks: each is a process

std::uint32_t count(const std::string& value, std::uint32_t least)
{
    const auto number = text::parse_decimal(value, 1'000'000);
    if (!number || *number < least)
        fail(Error::Kind::usage, "{} is no number from {} on", text::quoted(value), least);
    return static_cast<std::uint32_t>(*number);
}

std::uint64_t interval(const std::string& value)
{
    const auto usec = parse_time_span(value);
    if (usec < shortest_usec)
        fail(Error::Kind::usage, "{} is too short: at least 10ms", text::quoted(value));
    return usec;
}

HealthCheck::Action action(const std::string& value)
{
    const auto* const found = std::ranges::find(action_words, std::string_view{value});
    if (found == action_words.end())
        fail(Error::Kind::usage, "{} is none of {}", text::quoted(value), fmt::join(action_words, ", "));
    return static_cast<HealthCheck::Action>(found - action_words.begin());
}

struct Setting {
    std::string_view name; // after "health-"
    void (*apply)(HealthCheck& check, const std::string& value);
};

constexpr std::array<Setting, 12> settings{{
    {"cmd", [](HealthCheck& check, const std::string& value) { check.command = parse_health_command(value); }},
    {"interval", [](HealthCheck& check, const std::string& value) { check.interval_usec = interval(value); }},
    {"on-failure", [](HealthCheck& check, const std::string& value) { check.on_failure = action(value); }},
    {"retries", [](HealthCheck& check, const std::string& value) { check.retries = count(value, 1); }},
    {"start-interval",
     [](HealthCheck& check, const std::string& value) { check.start_interval_usec = interval(value); }},
    {"start-period",
     [](HealthCheck& check, const std::string& value) { check.start_period_usec = parse_time_span(value); }},
    {"startup-cmd",
     [](HealthCheck& check, const std::string& value) { check.startup_command = parse_health_command(value); }},
    {"startup-interval",
     [](HealthCheck& check, const std::string& value) { check.startup_interval_usec = interval(value); }},
    {"startup-retries", [](HealthCheck& check, const std::string& value) { check.startup_retries = count(value, 0); }},
    {"startup-success",
     [](HealthCheck& check, const std::string& value) { check.startup_successes = count(value, 1); }},
    {"startup-timeout",
     [](HealthCheck& check, const std::string& value) { check.startup_timeout_usec = interval(value); }},
    {"timeout", [](HealthCheck& check, const std::string& value) { check.timeout_usec = interval(value); }},
}};

std::vector<std::string> by_shell(std::string text)
{
    return {"/bin/sh", "-c", std::move(text)};
}

// As Docker writes them: the first word says how the others are to be read.
std::vector<std::string> from_words(std::vector<std::string> words)
{
    if (words.empty() || words.front() == "NONE")
        return {};
    const bool by_words = words.front() == "CMD";
    if (words.front() == "CMD-SHELL") {
        if (words.size() != 2)
            fail(Error::Kind::usage, "CMD-SHELL takes one text");
        return by_shell(words[1]);
    }
    if (by_words)
        words.erase(words.begin());
    if (words.empty() || words.front().empty())
        fail(Error::Kind::usage, "no command after CMD");
    return words;
}

void add(Annotations& to, const char* name, std::string value)
{
    to.push_back({.name = AcIdentifier::parse(std::string{"rocket/health-"} + name), .value = std::move(value)});
}

// Nanoseconds; 0 stands for the default.
void add_time(Annotations& to, json::Fields& fields, const char* from, const char* name)
{
    constexpr std::int64_t longest = 366LL * 24 * 3'600'000'000'000;
    const auto value = fields.optional(from);
    if (const auto time = value ? value->integer(0, longest) : 0; time != 0)
        add(to, name, fmt::format("{}us", std::max<std::int64_t>(time / 1000, shortest_usec)));
}

} // namespace

bool apply_health_setting(HealthCheck& check, std::string_view name, const std::string& value)
{
    if (!name.starts_with(health_prefix))
        return false;
    const auto* const setting = std::ranges::find(settings, name.substr(health_prefix.size()), &Setting::name);
    if (setting != settings.end())
        setting->apply(check, value);
    return setting != settings.end();
}

std::vector<std::string> parse_health_command(const std::string& text)
{
    if (text == "none")
        return {};
    if (text::trim(text).empty())
        fail(Error::Kind::usage, "no command; none switches checks off");
    if (text.starts_with('[')) {
        const auto value = json::parse(text, "health check");
        return from_words(json::Cursor{value, "health check"}.texts());
    }
    constexpr std::string_view shell = "CMD-SHELL ";
    if (text.starts_with("CMD "))
        throw Error{Error::Kind::usage, fmt::format("{}: words are not taken apart here", text::quoted(text)),
                    "write a JSON array, [\"CMD\", \"program\", ...], or text for /bin/sh"};
    return by_shell(text.starts_with(shell) ? text.substr(shell.size()) : text);
}

Annotations health_annotations_of_image(std::string_view healthcheck)
{
    const auto value = json::parse(healthcheck, "HEALTHCHECK");
    json::Fields fields{json::Cursor{value, "HEALTHCHECK"}};
    const auto test = fields.optional("Test");
    const auto words = test ? test->texts() : std::vector<std::string>{};
    if (from_words(words).empty())
        return {};
    Annotations all;
    add(all, "cmd", json::write(json::to_json(words)));
    add_time(all, fields, "Interval", "interval");
    add_time(all, fields, "Timeout", "timeout");
    add_time(all, fields, "StartPeriod", "start-period");
    add_time(all, fields, "StartInterval", "start-interval");
    const auto retries = fields.optional("Retries");
    if (const auto number = retries ? retries->integer(0, 1'000'000) : 0; number != 0)
        add(all, "retries", fmt::format("{}", number));
    return all;
}

std::string health_record(const AppName& name)
{
    return "status/" + name.str() + ".health";
}

std::string_view word(HealthCheck::Action action) noexcept
{
    return action_words[static_cast<std::size_t>(action)];
}

} // namespace rocket::model

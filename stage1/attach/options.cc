// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/options.hh"

#include <algorithm>

#include "common/model/names.hh"
#include "common/sys/text.hh"

namespace rocket::stage1::attach
{

namespace
{

bool truth(std::string_view flag, std::string_view value)
{
    const auto parsed = text::parse_bool(value);
    if (!parsed)
        fail(Error::Kind::usage, "{} is true or false, not {}", flag, text::quoted(value));
    return *parsed;
}

void set_action(Options& options, std::string_view value)
{
    if (value != "list" && value != "auto-attach" && value != "custom-attach")
        fail(Error::Kind::usage, "there is no action {}", text::quoted(value));
    options.list = value == "list";
}

char control_key(char key)
{
    const char upper = key >= 'a' && key <= 'z' ? static_cast<char>(key - 'a' + 'A') : key;
    return upper >= '@' && upper <= '_' ? static_cast<char>(upper & 0x1f) : '\0';
}

} // namespace

Options parse_options(std::span<const char* const> words)
{
    Options options;
    for (const std::string_view word : words) {
        const auto equals = word.find('=');
        const auto flag = word.substr(0, equals);
        const auto value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
        const auto endpoint = std::ranges::find_if(
            all_endpoints, [&](Endpoint one) { return flag.starts_with("--") && flag.substr(2) == name_of(one); });
        if (endpoint != all_endpoints.end())
            options.wanted = truth(flag, value) ? with(options.wanted, *endpoint) : options.wanted;
        else if (flag == "--action")
            set_action(options, value);
        else if (flag == "--app")
            options.app = model::AppName::parse(value).str();
        else if (flag == "--detach-keys")
            options.detach_keys = parse_detach_keys(value);
        else if (flag == "--debug")
            truth(flag, value);
        else
            fail(Error::Kind::usage, "unknown argument {}", text::quoted(word));
    }
    if (options.app.empty())
        fail(Error::Kind::usage, "--app is needed");
    return options;
}

std::string parse_detach_keys(std::string_view text)
{
    std::string keys;
    if (text.empty())
        return keys;
    for (const std::string_view word : text::split(text, ',')) {
        constexpr std::string_view control = "ctrl-";
        const bool is_control = word.size() == control.size() + 1 && word.starts_with(control);
        const char key = is_control ? control_key(word.back()) : word.size() == 1 ? word[0] : '\0';
        if (key == '\0')
            throw Error{Error::Kind::usage, fmt::format("{} is not a key to detach with", text::quoted(word)),
                        "keys are single characters and ctrl-LETTER, separated by commas: ctrl-p,ctrl-q"};
        keys += key;
    }
    return keys;
}

std::string DetachKeys::typed(std::string_view bytes)
{
    std::string on;
    for (const char key : bytes) {
        if (keys_.empty() || detached_) {
            on += key;
            continue;
        }
        if (key != keys_[matched_]) {
            on += keys_.substr(0, matched_);
            matched_ = 0;
        }
        if (key == keys_[matched_])
            detached_ = ++matched_ == keys_.size();
        else
            on += key;
        if (detached_)
            break;
    }
    return on;
}

} // namespace rocket::stage1::attach

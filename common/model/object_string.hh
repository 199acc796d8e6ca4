// SPDX-License-Identifier: Apache-2.0
// The object strings of the command line: NAME,key=value,... (chapter 18). Values are literal up to the next comma.
// Errors: Kind::usage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::model
{

class ObjectString
{
public:
    // With or without the name in front. `kind` is what errors call it: "volume".
    static ObjectString with_name(std::string_view text, std::string_view kind);
    static ObjectString without_name(std::string_view text, std::string_view kind);

    const std::string& name() const noexcept { return name_; }
    // Each key may be taken once; what nobody took is unknown.
    std::optional<std::string> take(std::string_view key);
    std::optional<bool> take_bool(std::string_view key);
    std::optional<std::uint32_t> take_number(std::string_view key, std::uint32_t min, std::uint32_t max);
    void done() const; // throws on keys that were not taken: unknown volume parameter "k"

private:
    struct Part {
        std::string key, value;
    };
    ObjectString(std::string name, std::string_view kind) : name_{std::move(name)}, kind_{kind} {}
    void add_parts(const std::vector<std::string>& parts, std::size_t first);

    std::string name_;
    std::string kind_;
    std::vector<Part> parts_;
};

} // namespace rocket::model

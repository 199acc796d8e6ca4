// SPDX-License-Identifier: Apache-2.0
// The UUID of a pod, in its canonical spelling: lower case, 8-4-4-4-12 (TYP-19..21, cli 6.1).
// Errors: Kind::usage.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace rocket::model
{

class PodId
{
public:
    static PodId parse(std::string_view text); // dashes anywhere or nowhere, either case, never all zero
    static PodId random();                     // version 4, from the kernel

    const std::string& str() const noexcept { return text_; }
    std::strong_ordering operator<=>(const PodId&) const = default;

private:
    explicit PodId(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

// What a user may type for a pod: a textual prefix of its id, with its dashes or with none at all, in either case
// (Q37).
class PodIdPrefix
{
public:
    static PodIdPrefix parse(std::string_view text); // throws "UUID cannot be empty"
    const std::string& str() const noexcept { return text_; }
    bool matches(const PodId& id) const;

private:
    explicit PodIdPrefix(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

} // namespace rocket::model

template <>
struct std::hash<rocket::model::PodId> {
    std::size_t operator()(const rocket::model::PodId& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};

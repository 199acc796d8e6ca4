// SPDX-License-Identifier: Apache-2.0
// A password or token. It cannot be formatted, streamed or turned into a string by accident (R18): whoever needs the
// content says reveal(), and a search for that word finds every place.
#pragma once

#include <ostream>
#include <string>

namespace rocket::config
{

class Secret
{
public:
    explicit Secret(std::string content) : content_{std::move(content)} {}
    const std::string& reveal() const noexcept { return content_; }
    bool operator==(const Secret&) const = default;

private:
    std::string content_;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

} // namespace rocket::config

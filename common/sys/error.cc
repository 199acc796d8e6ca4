// SPDX-License-Identifier: Apache-2.0
#include "common/sys/error.hh"

#include <cerrno>
#include <cstring>

namespace rocket
{

Error::Error(Kind kind, std::string text, std::string hint)
    : kind_{kind}, causes_{std::move(text)}, hint_{std::move(hint)}
{
    join();
}

Error& Error::add_context(std::string doing)
{
    causes_.insert(causes_.begin(), std::move(doing));
    join();
    return *this;
}

Error& Error::set_hint(std::string hint)
{
    hint_ = std::move(hint);
    return *this;
}

Error& Error::set_error_number(int error_number)
{
    error_number_ = error_number;
    return *this;
}

void Error::join()
{
    joined_ = fmt::format("{}", fmt::join(causes_, ": "));
}

// Kind as one letter, then the hint and every cause, each ended by NUL.
std::string Error::serialize() const
{
    std::string bytes(1, static_cast<char>('a' + static_cast<int>(kind_)));
    bytes += hint_;
    bytes += '\0';
    for (const auto& cause : causes_) {
        bytes += cause;
        bytes += '\0';
    }
    return bytes;
}

Error Error::deserialize(std::string_view bytes)
{
    if (bytes.size() < 3 || bytes[0] < 'a' || bytes[0] > 'a' + static_cast<int>(Kind::system) || bytes.back() != '\0')
        return {Kind::system, "a helper process failed without saying why"};
    std::vector<std::string> parts;
    for (std::string_view rest = bytes.substr(1); !rest.empty();) {
        const auto end = rest.find('\0');
        parts.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    if (parts.size() < 2)
        return {Kind::system, "a helper process failed without saying why"};
    Error error{static_cast<Kind>(bytes[0] - 'a'), parts.back(), parts.front()};
    for (auto i = parts.size() - 1; i-- > 1;)
        error.add_context(parts[i]);
    return error;
}

Error system_error(int error_number, std::string text)
{
    const auto kind = error_number == ENOENT ? Error::Kind::not_found : Error::Kind::system;
    Error error{kind, fmt::format("{}: {}", text, std::strerror(error_number))};
    return error.set_error_number(error_number);
}

} // namespace rocket

// SPDX-License-Identifier: Apache-2.0
#include "stage1/line_prefixer.hh"

#include <algorithm>

#include <fmt/format.h>

namespace rocket::stage1
{

void LinePrefixer::put_line(std::string& out, std::string_view rest, std::int64_t monotonic_usec)
{
    fmt::format_to(std::back_inserter(out), "[{}.{:06}] {}[{}]: {}{}{}", monotonic_usec / 1'000'000,
                   monotonic_usec % 1'000'000, app_, pid_, partial_, rest, end_);
    partial_.clear();
}

std::string LinePrefixer::add(std::string_view bytes, std::int64_t monotonic_usec)
{
    std::string out;
    while (!bytes.empty()) {
        const auto room = max_line - partial_.size();
        const auto newline = bytes.substr(0, room).find('\n');
        if (newline != std::string_view::npos) {
            auto line = bytes.substr(0, newline);
            if (line.ends_with('\r')) // the app wrote CR LF itself
                line.remove_suffix(1);
            put_line(out, line, monotonic_usec);
            bytes.remove_prefix(newline + 1);
        } else {
            const auto taken = std::min(room, bytes.size());
            partial_ += bytes.substr(0, taken);
            bytes.remove_prefix(taken);
            if (partial_.size() == max_line)
                put_line(out, "", monotonic_usec);
        }
    }
    return out;
}

std::string LinePrefixer::finish(std::int64_t monotonic_usec)
{
    std::string out;
    if (!partial_.empty())
        put_line(out, "", monotonic_usec);
    return out;
}

} // namespace rocket::stage1

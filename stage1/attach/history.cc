// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/history.hh"

namespace rocket::stage1::attach
{

void History::add(std::string_view bytes)
{
    if (bytes.size() > capacity) {
        bytes.remove_prefix(bytes.size() - capacity);
        kept_.clear();
        complete_ = false;
    }
    kept_ += bytes;
    if (kept_.size() > 2 * capacity) {
        kept_.erase(0, kept_.size() - capacity);
        complete_ = false;
    }
}

std::string History::recent() const
{
    const bool cut = kept_.size() > capacity;
    auto recent = cut ? kept_.substr(kept_.size() - capacity) : kept_;
    if (!cut && complete_)
        return recent;
    const auto newline = recent.find('\n');
    return newline == std::string::npos ? recent : recent.substr(newline + 1);
}

} // namespace rocket::stage1::attach

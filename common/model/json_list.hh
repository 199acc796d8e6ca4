// SPDX-License-Identifier: Apache-2.0
// Lists of JSON, written and read by what writes or reads one item.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "common/model/json_object.hh"

namespace rocket::model::json
{

template <typename Item, typename Write>
Array list_of(const std::vector<Item>& items, Write write)
{
    Array list;
    list.reserve(items.size());
    for (const auto& item : items)
        list.push_back(write(item));
    return list;
}

// For types that write themselves.
template <typename Item>
Array list_of(const std::vector<Item>& items)
{
    return list_of(items, [](const Item& item) { return item.json(); });
}

template <typename Read>
auto each(const std::vector<Cursor>& items, Read read)
{
    std::vector<std::invoke_result_t<Read&, const Cursor&>> all;
    all.reserve(items.size());
    for (const auto& item : items)
        all.push_back(read(item));
    return all;
}

} // namespace rocket::model::json

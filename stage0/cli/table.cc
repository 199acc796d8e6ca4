// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/table.hh"

#include <algorithm>

namespace rocket::cli
{

namespace
{

constexpr std::size_t tab = 8;

std::size_t characters(const std::string& cell)
{
    return static_cast<std::size_t>(std::count_if(
        cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

} // namespace

std::string layout(const std::vector<Row>& rows)
{
    std::vector<std::size_t> stops; // width of each column, in TABs
    for (const auto& row : rows) {
        stops.resize(std::max(stops.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            stops[i] = std::max(stops[i], (characters(row[i]) + 1 + tab - 1) / tab);
    }
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size())
                out.append(stops[i] - characters(row[i]) / tab, '\t');
        }
        out += '\n';
    }
    return out;
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/command.hh"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rocket::cli
{

namespace
{

class Plain : public Action
{
public:
    explicit Plain(int (*act)(Invocation&)) : act_{act} {}
    int run(Invocation& invocation) override { return act_(invocation); }

private:
    int (*act_)(Invocation&);
};

std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto substituted = diagonal + (a[i] == b[j] ? std::size_t{0} : std::size_t{1});
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

bool lies_below(const Command& command, const std::vector<std::string>& prefix)
{
    return command.path.size() > prefix.size() && std::equal(prefix.begin(), prefix.end(), command.path.begin());
}

} // namespace

std::string Command::name() const
{
    return fmt::format("{}", fmt::join(path, " "));
}

Command command(Command parts, int (*run)(Invocation&))
{
    parts.make = [run] { return std::make_unique<Plain>(run); };
    return parts;
}

std::vector<std::string> names_at(CommandTable table, const std::vector<std::string>& prefix)
{
    std::vector<std::string> names;
    for (const auto& entry : table)
        if (lies_below(entry, prefix) && std::ranges::find(names, entry.path[prefix.size()]) == names.end())
            names.push_back(entry.path[prefix.size()]);
    return names;
}

std::string resolve_word(CommandTable table, const std::vector<std::string>& prefix, const std::string& word)
{
    std::vector<std::string> matches;
    for (auto& name : names_at(table, prefix)) {
        if (name == word)
            return name;
        if (!word.empty() && name.starts_with(word))
            matches.push_back(std::move(name));
    }
    return matches.size() == 1 ? matches.front() : std::string{};
}

std::vector<std::string> similar_names(CommandTable table, const std::vector<std::string>& prefix,
                                       const std::string& word)
{
    auto names = names_at(table, prefix);
    std::erase_if(names, [&](const auto& name) { return edit_distance(name, word) > 2 && !name.starts_with(word); });
    return names;
}

const Command* find_command(CommandTable table, const std::vector<std::string>& path)
{
    const auto found = std::ranges::find(table, path, &Command::path);
    return found == table.end() ? nullptr : &*found;
}

} // namespace rocket::cli

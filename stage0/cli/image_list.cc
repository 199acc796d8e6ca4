// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/cli/table.hh"
#include "stage0/cli/values.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

constexpr std::size_t short_digits = 12;

// What is shown of one image.
struct Line {
    store::Entry entry;
    std::string name; // NAME:VERSION
    std::int64_t used_ns = 0;
};

Time time_of(std::int64_t nanoseconds)
{
    return Time{std::chrono::nanoseconds{nanoseconds}};
}

std::string time_cell(std::int64_t nanoseconds, bool full)
{
    if (nanoseconds == 0)
        return {};
    return full ? long_time(time_of(nanoseconds)) : relative_time(time_of(nanoseconds), now());
}

// The columns: how --fields and --sort call them, and what is in them.
struct Column {
    std::string_view name;
    std::string_view header;
    std::string (*cell)(const Line&, bool full);
    bool (*before)(const Line&, const Line&); // null: no sort key
};

const std::array columns{
    Column{
        "id", "ID",
        [](const Line& line, bool full) { return full ? line.entry.id.key() : line.entry.id.shortened(short_digits); },
        nullptr},
    Column{"name", "NAME", [](const Line& line, bool) { return line.name; },
           [](const Line& a, const Line& b) { return a.name < b.name; }},
    Column{"size", "SIZE",
           [](const Line& line, bool full) {
               return full ? fmt::format("{}", line.entry.size) : binary_size(line.entry.size);
           },
           [](const Line& a, const Line& b) { return a.entry.size < b.entry.size; }},
    Column{"importtime", "IMPORT TIME",
           [](const Line& line, bool full) { return time_cell(line.entry.imported_ns, full); },
           [](const Line& a, const Line& b) { return a.entry.imported_ns < b.entry.imported_ns; }},
    Column{"lastused", "LAST USED", [](const Line& line, bool full) { return time_cell(line.used_ns, full); },
           [](const Line& a, const Line& b) { return a.used_ns < b.used_ns; }},
    // Not shown unless asked for: rkt's scripts know the five above.
    Column{"signature", "SIGNATURE",
           [](const Line& line, bool) { return std::string{line.entry.verified ? "verified" : "not checked"}; },
           nullptr},
};

const Column& column_named(const std::string& name, std::string_view what, bool must_sort)
{
    for (const auto& column : columns)
        if (column.name == name && (!must_sort || column.before))
            return column;
    std::string known;
    for (const auto& column : columns)
        if (!must_sort || column.before)
            known += (known.empty() ? "" : ", ") + std::string{column.name};
    throw Error{Error::Kind::usage, fmt::format("unknown {} {}", what, text::quoted(name)), "it is one of " + known};
}

std::vector<const Column*> columns_named(const std::string& list, std::string_view what, bool must_sort)
{
    std::vector<const Column*> named;
    for (const auto& name : text::split(list, ','))
        named.push_back(&column_named(name, what, must_sort));
    return named;
}

struct Options {
    std::string fields = "id,name,size,importtime,lastused";
    std::string sort = "importtime";
    std::string order = "asc";
    bool full = false;
    bool no_legend = false;
    std::string format;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("fields", options.fields,
              "comma-separated list of fields to display: id, name, size, importtime, lastused, signature");
    flags.add("sort", options.sort, "sort the output by a comma-separated list of name, importtime, lastused and size");
    flags.add("order", options.order, "choose the sorting order if at least one sort field is provided: asc or desc");
    flags.add("full", options.full, "use long output format");
    flags.add("no-legend", options.no_legend, "suppress a legend with the list");
    flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is a table");
}

std::vector<Line> read_lines(const store::Store& store)
{
    std::vector<Line> lines;
    for (auto& entry : store.list()) {
        const auto* version = model::find(entry.labels, "version");
        auto name = version ? fmt::format("{}:{}", entry.name.str(), text::printable(*version)) : entry.name.str();
        const auto used = store.last_used_ns(entry.id);
        lines.push_back({std::move(entry), std::move(name), used});
    }
    return lines;
}

void sort(std::vector<Line>& lines, const std::vector<const Column*>& keys, bool descending)
{
    std::stable_sort(lines.begin(), lines.end(), [&](const Line& a, const Line& b) {
        const auto& first = descending ? b : a;
        const auto& second = descending ? a : b;
        for (const auto* key : keys) {
            if (key->before(first, second))
                return true;
            if (key->before(second, first))
                return false;
        }
        return false;
    });
}

json::Value to_json(const Line& line)
{
    json::Object image;
    image.push_back({"id", line.entry.id.key()});
    image.push_back({"name", line.name});
    image.push_back({"import_time", line.entry.imported_ns});
    image.push_back({"last_used_time", line.used_ns});
    image.push_back({"size", line.entry.size});
    image.push_back({"verified", line.entry.verified}); // not in rkt's
    return image;
}

void print_table(const Context& context, const std::vector<Line>& lines, const std::vector<const Column*>& fields,
                 const Options& options)
{
    std::vector<Row> rows;
    const auto add_row = [&](auto cell) {
        Row row;
        for (const auto* field : fields)
            row.push_back(cell(*field));
        rows.push_back(std::move(row));
    };
    if (!options.no_legend)
        add_row([](const Column& column) { return std::string{column.header}; });
    for (const auto& line : lines)
        add_row([&](const Column& column) { return column.cell(line, options.full); });
    context.out("{}", layout(rows));
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    const auto fields = columns_named(options.fields, "field", false);
    const auto keys = columns_named(options.sort, "sort field", true);
    if (options.order != "asc" && options.order != "desc")
        fail(Error::Kind::usage, "wrong sort order {}: it is asc or desc", text::quoted(options.order));
    const auto format = parse_format(options.format);

    Progress progress;
    const auto store = open_store(invocation.context, progress);
    auto lines = in_context("error listing images", [&] { return read_lines(store); });
    sort(lines, keys, options.order == "desc");
    if (format == Format::table) {
        print_table(invocation.context, lines, fields, options);
        return 0;
    }
    json::Array images;
    for (const auto& line : lines)
        images.push_back(to_json(line));
    print_json(invocation.context, images.empty() ? json::Value{} : json::Value{std::move(images)}, format);
    return 0;
}

} // namespace

Command image_list_command()
{
    return command<Options>({.path = {"image", "list"},
                             .arguments = "",
                             .purpose = "list images in the local store",
                             .description = "Lists images by the time they were imported."},
                            declare, run);
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/chain.hh"

#include "common/sys/text.hh"
#include "stage1/net/arguments.hh"
#include "stage1/net/plugin.hh"

namespace rocket::stage1
{

namespace
{

namespace json = model::json;
using model::AttachedNetwork;
using text::quoted;

void set(json::Object& object, const char* name, json::Value value)
{
    std::erase_if(object, [&](const json::Member& member) { return member.name == name; });
    object.push_back({name, std::move(value)});
}

std::string input_of(const AttachedNetwork& network, std::size_t plugin, const json::Value* previous)
{
    const auto& config = network.request.config;
    json::Value input = config.plugins[plugin];
    auto& object = *input.object();
    set(object, "name", config.name);
    set(object, "cniVersion", config.cni_version);
    if (previous != nullptr)
        set(object, "prevResult", *previous);
    return json::write(input);
}

std::optional<json::Value> call_one(const AttachedNetwork& network, const ChainContext& context, const char* command,
                                    std::size_t plugin, const json::Value* previous)
{
    const auto& request = network.request;
    const auto doing = fmt::format("network {}: plugin {} ({})", quoted(request.config.name),
                                   quoted(model::plugin_type(request.config.plugins[plugin])), command);
    try {
        return call({.command = command,
                     .path = network.paths[plugin],
                     .container_id = context.container_id,
                     .netns = context.netns,
                     .interface = request.interface,
                     .args = plugin_arguments(request.args),
                     .search_path = context.search_path,
                     .input = input_of(network, plugin, previous),
                     .held_fd = context.held_fd});
    } catch (const Refusal& refusal) {
        throw Refusal{refusal.kind(), fmt::format("{}: {}", doing, refusal.what())};
    } catch (const Error& error) {
        throw Error{error.kind(), fmt::format("{}: {}", doing, error.what()), error.hint()};
    }
}

std::vector<std::uint64_t> numbers_of(const std::string& version)
{
    std::vector<std::uint64_t> numbers;
    for (const auto& part : text::split(version, '.'))
        numbers.push_back(text::parse_decimal(part).value_or(0));
    numbers.resize(3);
    return numbers;
}

std::optional<json::Value> add_one(AttachedNetwork& network, const ChainContext& context, std::size_t plugin,
                                   const json::Value* previous)
{
    try {
        return call_one(network, context, "ADD", plugin, previous);
    } catch (const Error& error) {
        network.request.config.plugins.resize(plugin + 1);
        network.paths.resize(plugin + 1);
        network.is_refused = dynamic_cast<const Refusal*>(&error) != nullptr;
        throw;
    }
}

// To know the result of a DEL's or CHECK's network came with 0.4.0.
const json::Value* known_result(const AttachedNetwork& network)
{
    return network.result && is_at_least(network.request.config.cni_version, "0.4.0") ? &network.result->raw : nullptr;
}

} // namespace

bool is_at_least(const std::string& cni_version, const std::string& other)
{
    return numbers_of(cni_version) >= numbers_of(other);
}

model::CniResult add(AttachedNetwork& network, const ChainContext& context)
{
    std::optional<json::Value> result;
    const auto& plugins = network.request.config.plugins;
    for (std::size_t plugin = 0; plugin < plugins.size(); ++plugin) {
        result = add_one(network, context, plugin, result ? &*result : nullptr);
        if (!result)
            fail(Error::Kind::corrupt, "network {}: plugin {} (ADD): it printed no result",
                 quoted(network.request.config.name), quoted(model::plugin_type(plugins[plugin])));
    }
    return model::CniResult::from(
        {*result, fmt::format("network {}: result of plugin {}", quoted(network.request.config.name),
                              quoted(model::plugin_type(plugins.back())))});
}

void check(const AttachedNetwork& network, const ChainContext& context)
{
    if (network.request.config.disable_check || known_result(network) == nullptr)
        return;
    for (std::size_t plugin = 0; plugin < network.request.config.plugins.size(); ++plugin)
        call_one(network, context, "CHECK", plugin, known_result(network));
}

void del(const AttachedNetwork& network, const ChainContext& context, const std::function<void(const Error&)>& failed)
{
    for (auto plugin = network.request.config.plugins.size(); plugin-- > 0;) {
        try {
            call_one(network, context, "DEL", plugin, known_result(network));
        } catch (const Error& error) {
            if (!network.is_refused || plugin + 1 != network.paths.size())
                failed(error);
        }
    }
}

} // namespace rocket::stage1

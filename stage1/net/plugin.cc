// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/plugin.hh"

#include "common/model/json_object.hh"
#include "common/sys/text.hh"
#include "stage1/net/foreign_program.hh"

namespace rocket::stage1
{

namespace
{

namespace json = model::json;

ForeignProgram program_of(const PluginCall& call)
{
    ForeignProgram program{.argv = {call.path},
                           .env = {"CNI_COMMAND=" + call.command, "CNI_CONTAINERID=" + call.container_id,
                                   "CNI_NETNS=" + call.netns, "CNI_IFNAME=" + call.interface,
                                   "CNI_PATH=" + call.search_path},
                           .input = call.input,
                           .held_fd = call.held_fd};
    if (!call.args.empty())
        program.env.push_back("CNI_ARGS=" + call.args);
    return program;
}

// {"code": 7, "msg": "...", "details": "..."}; nullopt if it is not that.
std::optional<std::string> error_text(const std::string& output)
{
    try {
        const auto value = json::parse(output, "error");
        json::Fields fields{{value, "error"}};
        const auto message = fields.text_or("msg", ""), details = fields.text_or("details", "");
        if (message.empty() && details.empty())
            return std::nullopt;
        return text::printable(message + (message.empty() || details.empty() ? "" : "; ") + details);
    } catch (const Error&) {
        return std::nullopt;
    }
}

} // namespace

std::optional<json::Value> call(const PluginCall& what)
{
    const auto outcome = run_foreign(program_of(what));
    if (!outcome.status.ok()) {
        if (const auto said = error_text(outcome.output))
            throw Refusal{Error::Kind::system, fmt::format("{} ({})", *said, outcome.why())};
        fail(Error::Kind::system, "{}", outcome.why());
    }
    if (what.command != "ADD" || text::trim(outcome.output).empty()) // only ADD has a result
        return std::nullopt;
    return json::parse(outcome.output, "what it printed");
}

} // namespace rocket::stage1

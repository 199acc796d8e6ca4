// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/findings.hh"

#include "common/model/json_object.hh"

namespace rocket::cli
{

doctor::Places places_of(const Context& context)
{
    return {context.data_dir(), context.global.system_config, context.global.local_config};
}

model::json::Value to_json(const doctor::Check& check, const doctor::Finding& finding)
{
    return model::json::ObjectWriter{}
        .set("check", check.name)
        .set("about", check.about)
        .set("state", doctor::name_of(finding.state))
        .set("finding", finding.text)
        .set_text("advice", finding.advice)
        .done();
}

void print(const Context& context, const doctor::Check& check, const doctor::Finding& finding, std::string_view indent)
{
    context.out("{}{:8} {:9} {}\n", indent, doctor::name_of(finding.state), check.name, finding.text);
    if (!finding.advice.empty())
        context.out("{}{:18} -> {}\n", indent, "", finding.advice);
}

} // namespace rocket::cli

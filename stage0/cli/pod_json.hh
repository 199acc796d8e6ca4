// SPDX-License-Identifier: Apache-2.0
// Pods as JSON, for list and status (cli 8.6). Beside the fields of rkt: `exit_status` and `exit_reason` of a pod,
// `signal` and `oom` of an app (Q29), `ip6` and `prefix6` of a network (Q28), and `reports` of what is not in force for
// it (ISO-5).
#pragma once

#include <string>
#include <string_view>

#include "common/model/json.hh"
#include "stage0/cli/context.hh"
#include "stage0/pod/pod_info.hh"

namespace rocket::cli
{

enum class Format { table, json, json_pretty };
Format parse_format(const std::string& name); // --format; "" is the table

model::json::Value to_json(const pod::PodInfo& info, const model::Layout& layout);
model::json::Value to_json(const pod::PodInfo& info, const pod::AppInfo& app, const model::Layout& layout);

std::string health_cell(const pod::AppInfo& app); // in tables and lines; empty: it is not checked

// One line, or indented by TABs; with <, > and & escaped as Go does, for those who compare bytes.
void print_json(const Context& context, const model::json::Value& value, Format format);

} // namespace rocket::cli

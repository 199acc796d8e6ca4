// SPDX-License-Identifier: Apache-2.0
// One function per command, each defined in a file of its own; main.cc lists them in the order of help.
#pragma once

#include "stage0/cli/command.hh"

namespace rocket::cli
{

Command api_service_command();
Command app_add_command();
Command app_exec_command();
Command app_list_command();
Command app_rm_command();
Command app_sandbox_command();
Command app_start_command();
Command app_status_command();
Command app_stop_command();
Command attach_command();
Command cat_manifest_command();
Command completion_command();
Command config_command();
Command doctor_command();
Command enter_command();
Command explain_command();
Command export_command();
Command fetch_command();
Command forward_command();
Command gc_command();
Command help_command();
Command history_command();
Command image_cat_manifest_command();
Command image_export_command();
Command image_extract_command();
Command image_fetch_command();
Command image_gc_command();
Command image_list_command();
Command image_render_command();
Command image_rm_command();
Command image_verify_command();
Command list_command();
Command logs_command();
Command metadata_service_command();
Command prepare_command();
Command rm_command();
Command rollback_command();
Command run_command();
Command run_prepared_command();
Command status_command();
Command stop_command();
Command trust_command();
Command units_command();
Command update_command();
Command version_command();

} // namespace rocket::cli

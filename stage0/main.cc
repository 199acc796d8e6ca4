// SPDX-License-Identifier: Apache-2.0
// Start here: every command of `rocket`, in the order of help, each defined in stage0/cli/<command>.cc.
#include <systemd/sd-daemon.h>

#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "stage0/cli/commands.hh"

namespace
{

using namespace rocket::cli;

const std::vector<Command>& commands()
{
    // clang-format off
    static const std::vector<Command> table{
        api_service_command(),
        app_add_command(),
        app_exec_command(),
        app_list_command(),
        app_rm_command(),
        app_sandbox_command(),
        app_start_command(),
        app_status_command(),
        app_stop_command(),
        attach_command(),
        cat_manifest_command(),
        completion_command(),
        config_command(),
        doctor_command(),
        enter_command(),
        explain_command(),
        export_command(),
        fetch_command(),
        forward_command(),
        gc_command(),
        history_command(),
        image_cat_manifest_command(),
        image_export_command(),
        image_extract_command(),
        image_fetch_command(),
        image_gc_command(),
        image_list_command(),
        image_render_command(),
        image_rm_command(),
        image_verify_command(),
        list_command(),
        logs_command(),
        metadata_service_command(),
        prepare_command(),
        rm_command(),
        rollback_command(),
        run_command(),
        run_prepared_command(),
        status_command(),
        stop_command(),
        trust_command(),
        units_command(),
        update_command(),
        version_command(),
        help_command(),
    };
    // clang-format on
    return table;
}

} // namespace

int main(int argc, char** argv)
{
    rocket::ensure_standard_fds();
    ::sd_listen_fds(0); // no worker gets them: they are closed on exec, until a pod takes them (exec_run)
    rocket::log::set_prefix("rocket");
    Context context;
    return dispatch(commands(), context, Words(argv + 1, argv + (argc > 0 ? argc : 1)));
}

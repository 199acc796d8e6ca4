// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "common/sys/libexec.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage0/cli/choose_app.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/new_file.hh"
#include "stage0/pod/exported_root.hh"
#include "stage0/unpack/report.hh"

namespace rocket::cli
{

namespace
{

using pod::Pod;
using pod::State;

struct Options {
    std::string app;
    bool overwrite = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("app", options.app, "name of the app to export within the specified pod");
    flags.add("overwrite", options.overwrite, "overwrite output ACI");
}

void check_exited(const Pod& pod)
{
    if (pod.state() != State::exited && pod.state() != State::exited_garbage)
        fail(Error::Kind::usage, "pod is not exited. Only exited pods can be exported");
}

// Shared, as observers have it: whoever wants to delete the pod has to wait, others may look.
Lock hold(const Pod& pod)
{
    auto lock = Lock::try_take(pod.reopen(), Lock::Mode::shared);
    if (!lock)
        fail(Error::Kind::busy, "pod {} is in use by another command", text::quoted(pod.id().str()));
    return std::move(*lock);
}

// The manifest is handed over in a file, so that neither side waits for the other.
Fd in_memory(const std::string& content)
{
    auto file = sys::make_memfd("manifest");
    sys::write_all(file.get(), content);
    sys::check([&] { return ::lseek(file.get(), 0, SEEK_SET); }, "going to the begin of the manifest");
    return file;
}

void pack(const std::string& manifest, const Fd& root, int output)
{
    constexpr std::size_t limit = 2 * unpack::largest_error;
    const auto input = in_memory(manifest);
    auto report = sys::make_pipe();
    auto worker =
        spawn({.program = libexec_path("pack"),
               .argv = {"pack"},
               .env = {},
               .fds = {{0, input.get()}, {1, output}, {2, STDERR_FILENO}, {3, report.write.get()}, {4, root.get()}},
               .working_directory = "/"});
    report.write.reset();
    const auto said = unpack::parse_report(sys::read_to_end(report.read.get(), limit), 0);
    const auto status = worker.wait();
    if (said.error)
        throw Error{*said.error};
    if (!status.ok())
        fail(Error::Kind::system, "the worker that writes the image ended with status {}", status.shell_status());
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 2)
        throw UsageRequested{};
    const auto& path = invocation.args[1];
    if (!path.ends_with(".aci"))
        fail(Error::Kind::usage, "extension must be .aci (given {})", text::printable(path));
    if (!options.overwrite && sys::stat_if_exists(AT_FDCWD, path))
        fail(Error::Kind::usage, "target file exists (try --overwrite)");
    auto pod = pod::find(model::Layout{invocation.context.data_dir()}, invocation.args.front());
    check_exited(pod);
    const auto lock = hold(pod);
    pod.refresh(); // as it is now that nobody can delete it
    check_exited(pod);
    const auto app = model::AppName::parse(choose_app(pod, options.app, "export"));
    in_context("error exporting app", [&] {
        const auto manifest = pod::exported_manifest(pod, app);
        const auto root = pod::open_exported_root(pod, app);
        write_new_file(path, options.overwrite, "target file exists (try --overwrite)",
                       [&](int file) { pack(manifest, root, file); });
    });
    return 0;
}

} // namespace

Command export_command()
{
    return command<Options>({.path = {"export"},
                             .arguments = "[--app=NAME] UUID OUTPUT.aci",
                             .purpose = "export an app from an exited pod to an ACI file",
                             .description =
                                 "Writes an image of an app's root as the pod has left it: what it added "
                                 "and changed is in it, what it\ndeleted is not. Volumes are not part of it.",
                             .needs_root = true},
                            declare, run);
}

} // namespace rocket::cli

// SPDX-License-Identifier: Apache-2.0
// pack: the confined worker that writes images. `rocket export` starts it: 0: the image manifest   1: the archive
// 3: report, of errors only   4: the tree, which becomes its root directory. It writes nothing but the archive.
#include <sys/stat.h>

#include <csignal>
#include <new>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "stage0/pack/pack.hh"
#include "stage0/unpack/confine.hh"
#include "stage0/unpack/report.hh"

namespace
{

using namespace rocket;

constexpr int report_fd = 3;
constexpr int tree_fd = 4;
constexpr std::size_t largest_manifest = 4U << 20U; // R16

void run()
{
    const auto manifest = sys::read_to_end(STDIN_FILENO, largest_manifest);
    const auto tree = unpack::confine_packer(report_fd, tree_fd);
    const auto summary = pack::pack(manifest, tree, STDOUT_FILENO);
    if (summary.left_out > 0)
        log::print("warning: {} sockets or device nodes are not in the image", summary.left_out);
}

void tell(const Error& error)
{
    try {
        unpack::send_error(report_fd, error);
    } catch (const Error&) { // the caller has gone: nobody is there to be told
    }
}

} // namespace

int main()
{
    ::signal(SIGPIPE, SIG_IGN);
    log::set_prefix("export");
    try {
        run();
        return 0;
    } catch (const Error& error) {
        tell(error);
    } catch (const std::bad_alloc&) {
        tell({Error::Kind::system, "the worker that writes the image ran out of memory"});
    }
    return 1;
}

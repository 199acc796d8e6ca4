// SPDX-License-Identifier: Apache-2.0
// unpack: the confined worker for archives. The broker (stage0/store/unpacker) starts it twice per image:
//   unpack decompress [NAME=LIMIT...]             0: archive   1: tar     3: report
//   unpack extract [--devices] [NAME=LIMIT...]    0: tar                  3: report   4: directory, may be absent
// Started by a user without privilege, it writes a tree with that user's rights, and what takes more is left out.
// It confines itself before it reads its first byte. Exit code 0, or 1 with the error in the report.
#include <csignal>
#include <new>
#include <span>
#include <string_view>

#include <sys/stat.h>

#include "common/sys/sys.hh"
#include "stage0/unpack/confine.hh"
#include "stage0/unpack/decompress.hh"
#include "stage0/unpack/extract.hh"
#include "stage0/unpack/report.hh"

namespace rocket::unpack
{

namespace
{

constexpr int report_fd = 3;
constexpr int tree_fd = 4;

std::size_t read_input(char* buffer, std::size_t size)
{
    return sys::read_some(STDIN_FILENO, buffer, size);
}

void run_decompress(const Limits& limits)
{
    confine_decompressor(limits, report_fd);
    decompress(
        read_input, [](std::string_view bytes) { sys::write_all(STDOUT_FILENO, bytes); }, limits);
}

void run_extract(ExtractOptions options)
{
    prepare_extraction();
    if (::geteuid() != 0)
        options.fidelity = Fidelity::mine;
    const bool has_tree = ::fcntl(tree_fd, F_GETFD) >= 0;
    auto root = confine_extractor(options.limits, report_fd, has_tree ? tree_fd : -1, options.allow_devices,
                                  [](const std::string& note) { send_note(report_fd, note); });
    const auto tree = extract(read_input, std::move(root), options,
                              [](std::string_view manifest) { send_manifest(report_fd, manifest); });
    send_tree(report_fd, tree);
}

void run(std::span<char*> words)
{
    if (words.size() < 2)
        fail(Error::Kind::usage, "unpack is started by rocket, not by hand");
    ExtractOptions options;
    for (const std::string_view word : words.subspan(2)) {
        if (word == "--devices")
            options.allow_devices = true;
        else
            set_limit(options.limits, word);
    }
    const std::string_view mode = words[1];
    if (mode == "decompress")
        return run_decompress(options.limits);
    if (mode == "extract")
        return run_extract(options);
    fail(Error::Kind::usage, "unknown mode {}", text::quoted(mode));
}

void tell(const Error& error)
{
    try {
        send_error(report_fd, error);
    } catch (const Error&) { // the broker has gone: nobody is there to be told
    }
}

} // namespace

} // namespace rocket::unpack

int main(int argc, char** argv)
{
    using namespace rocket;
    ::signal(SIGPIPE, SIG_IGN); // a broker that has gone is an error of write(2)
    ::umask(0);                 // modes are the archive's
    try {
        unpack::run({argv, static_cast<std::size_t>(argc)});
        return 0;
    } catch (const Error& error) {
        unpack::tell(error);
    } catch (const std::bad_alloc&) {
        unpack::tell(
            {Error::Kind::corrupt, "the archive needs more memory than a worker may use (limit memory-bytes)"});
    }
    return 1;
}

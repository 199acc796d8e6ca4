// SPDX-License-Identifier: Apache-2.0
// unpack: the confined worker for archives. The broker (stage0/store/unpacker) starts two of it per archive:
//   unpack decompress [--layer] [NAME=LIMIT...]   0: archive   1: tar     3: report
//   unpack extract [--devices] [NAME=LIMIT...]    0: tar                  3: report   4: directory, may be absent
//   unpack layer [--devices] [NAME=LIMIT...]      0: tar                  3: report   4: directory, may be absent
//   unpack members [NAME=LIMIT...]                0: tar                  3: report
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
#include "stage0/unpack/layer.hh"
#include "stage0/unpack/members.hh"
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

void run_decompress(const Limits& limits, Formats formats)
{
    confine_decompressor(limits, report_fd);
    decompress(
        read_input, [](std::string_view bytes) { sys::write_all(STDOUT_FILENO, bytes); }, limits, formats);
}

void run_layer(ExtractOptions options)
{
    prepare_extraction();
    options.drop_foreign_xattrs = true;
    if (::geteuid() != 0)
        options.fidelity = Fidelity::readable;
    const bool has_tree = ::fcntl(tree_fd, F_GETFD) >= 0;
    auto root = confine_extractor(options.limits, report_fd, has_tree ? tree_fd : -1, {.layer = true},
                                  [](const std::string& note) { send_note(report_fd, note); });
    const auto layer = extract_layer(read_input, std::move(root), options);
    send_list(report_fd, FrameKind::seams, layer.seams.write());
    send_tree(report_fd, layer.tree);
}

void run_members(const Limits& limits)
{
    prepare_tar_reader();
    confine_decompressor(limits, report_fd);
    send_list(report_fd, FrameKind::members, list_members(read_input, limits).write());
}

void run_extract(ExtractOptions options)
{
    prepare_extraction();
    if (::geteuid() != 0)
        options.fidelity = Fidelity::mine;
    const bool has_tree = ::fcntl(tree_fd, F_GETFD) >= 0;
    auto root =
        confine_extractor(options.limits, report_fd, has_tree ? tree_fd : -1, {.devices = options.allow_devices},
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
    auto formats = Formats::image;
    for (const std::string_view word : words.subspan(2)) {
        if (word == "--devices")
            options.allow_devices = true;
        else if (word == "--layer")
            formats = Formats::layer;
        else
            set_limit(options.limits, word);
    }
    const std::string_view mode = words[1];
    if (mode == "decompress")
        return run_decompress(options.limits, formats);
    if (mode == "extract")
        return run_extract(options);
    if (mode == "layer")
        return run_layer(options);
    if (mode == "members")
        return run_members(options.limits);
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

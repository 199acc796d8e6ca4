// SPDX-License-Identifier: Apache-2.0
// verify SECONDS: reads a Request from stdin, does it in a confined child, and writes the answer to stdout. The file
// whose signature is to be checked is on descriptor 3. Exit code 0 means that there is an answer, nothing more.
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage0/verify/confine.hh"
#include "stage0/verify/gpg.hh"
#include "stage0/verify/openpgp.hh"
#include "stage0/verify/signed_message.hh"

using namespace rocket;

namespace
{

void answer(const std::string& bytes)
{
    sys::write_all(STDOUT_FILENO, bytes);
}

// The packets of the key that the file is named after; others in the file are not trusted by that name.
std::string packets_of(const verify::NamedKey& named)
{
    const auto keys = openpgp::parse_keys(named.file);
    const auto meant = std::ranges::find(keys, named.fingerprint, &openpgp::Key::fingerprint);
    if (meant == keys.end())
        fail(Error::Kind::corrupt, "fingerprint mismatch: {}:{}", text::quoted(named.fingerprint),
             text::quoted(keys.front().fingerprint));
    return meant->packets;
}

// One unusable file disables its own key and no other (Q54).
std::vector<verify::UnusableKey> import_named(verify::Gpg& gpg, const std::vector<verify::NamedKey>& named)
{
    std::vector<verify::UnusableKey> unusable;
    std::string packets;
    for (const auto& key : named) {
        try {
            packets += packets_of(key);
        } catch (const Error& error) {
            unusable.push_back({key.fingerprint, error.innermost()});
        }
    }
    const auto imported = packets.empty() ? std::vector<std::string>{} : gpg.import(packets);
    const auto is_in = [](const auto& range, const std::string& fingerprint, auto member) {
        return std::ranges::find(range, fingerprint, member) != range.end();
    };
    for (const auto& key : named)
        if (!is_in(imported, key.fingerprint, std::identity{}) &&
            !is_in(unusable, key.fingerprint, &verify::UnusableKey::fingerprint))
            unusable.push_back({key.fingerprint, "it has no identity that it has signed itself"});
    return unusable;
}

// One verdict for each signature that we have seen ourselves.
void check_count(const verify::Checked& checked, std::size_t count)
{
    if (checked.signatures.size() != count)
        fail(Error::Kind::corrupt, "{} signatures, of which gpg has looked at {}", count, checked.signatures.size());
}

verify::Checked check_signature(const verify::Request& request, const std::string& home)
{
    const auto signatures = openpgp::parse_signatures(request.file);
    verify::Gpg gpg{home};
    verify::Checked checked;
    checked.unusable_keys = import_named(gpg, request.keys);
    checked.signatures = gpg.check(signatures.packets, verify::archive_fd);
    check_count(checked, signatures.count);
    return checked;
}

verify::Checked open_message(const verify::Request& request, const std::string& home)
{
    auto message = openpgp::parse_signed_message(request.file);
    verify::Gpg gpg{home};
    verify::Checked checked;
    checked.unusable_keys = import_named(gpg, request.keys);
    checked.signatures = gpg.check(message.signatures.packets, message.payload);
    check_count(checked, message.signatures.count);
    checked.payload = std::move(message.payload);
    return checked;
}

std::vector<verify::ListedKey> list_keys(const verify::Request& request, const std::string& home)
{
    const auto keys = openpgp::parse_keys(request.file);
    verify::Gpg gpg{home};
    for (const auto& key : keys)
        gpg.import(key.packets);
    auto listed = gpg.keys();
    for (const auto& key : keys)
        if (std::ranges::find(listed, key.fingerprint, &verify::ListedKey::fingerprint) == listed.end())
            fail(Error::Kind::corrupt, "key {} has no identity that it has signed itself", key.fingerprint);
    return listed;
}

void work(const std::string& home)
{
    const auto request = verify::decode_request(sys::read_to_end(STDIN_FILENO, verify::max_message_size));
    using Task = verify::Request::Task;
    switch (request.task) {
    case Task::check_signature:
        return answer(encode(check_signature(request, home)));
    case Task::open_message:
        return answer(encode(open_message(request, home)));
    case Task::list_keys:
        return answer(encode(list_keys(request, home)));
    }
}

} // namespace

int main(int argc, char** argv)
{
    ensure_standard_fds();
    const auto seconds = argc == 2 ? text::parse_decimal(argv[1], 24 * 60 * 60) : std::nullopt;
    if (!seconds || *seconds == 0) {
        ::dprintf(STDERR_FILENO, "usage: verify SECONDS (part of rocket, not meant for people)\n");
        return 254;
    }
    const auto report = [](const Error& error) { answer(verify::encode(error)); };
    try {
        verify::run_confined({.seconds = static_cast<int>(*seconds)}, work, report);
    } catch (const Error& error) {
        report(error);
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// What goes into the verify worker (on its stdin) and comes out of it (on its stdout): typed messages in length-
// prefixed frames. Both sides use this file, and the caller believes nothing in an answer beyond what decode_*()
// checks: lengths, counts, fingerprints, ranges. Errors: Kind::corrupt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/sys/error.hh"

namespace rocket::verify
{

constexpr std::size_t max_message_size = std::size_t{64} << 20; // all keys of a large keystore

struct NamedKey {
    std::string fingerprint; // the key meant; others in the file are ignored
    std::string file;        // armoured
};

// What to do with these keys: check a signature over the file on descriptor 3, or a message that carries its own; or
// say which keys a key file holds.
struct Request {
    enum class Task { check_signature, list_keys, open_message };
    Task task = Task::check_signature;
    std::vector<NamedKey> keys; // check_signature, open_message
    std::string file;           // the signature, the message or the key file
};

constexpr int archive_fd = 3;

enum class Verdict : unsigned {
    good,
    bad,         // the data is not what was signed
    unknown_key, // by none of the keys given
    signature_expired,
    key_expired,
    key_revoked,
    unusable, // anything else; the detail says what
};
constexpr auto last_verdict = Verdict::unusable;

struct Signature {
    Verdict verdict = Verdict::unusable;
    std::string key;    // fingerprint of the primary key; for an unknown one, as much of its id as is known
    std::string detail; // for people
    std::vector<std::string> identities;
};

struct UnusableKey {
    std::string fingerprint; // as in the request
    std::string reason;
};

struct Checked {
    std::vector<Signature> signatures; // one for each in the file
    std::vector<UnusableKey> unusable_keys;
    std::string payload = {}; // open_message: what was signed, whatever the verdict
};

struct ListedKey {
    std::string fingerprint;
    std::vector<std::string> subkeys; // fingerprints
    std::vector<std::string> identities;
    std::string warning;  // "expired", "revoked" or empty
    std::string armoured; // this key alone, to be stored
};

std::string encode(const Request& request);
Request decode_request(std::string_view bytes);

// An answer is a result or the Error that decode_*() rethrows.
std::string encode(const Checked& checked);
std::string encode(const std::vector<ListedKey>& keys);
std::string encode(const Error& error);
Checked decode_checked(std::string_view bytes);
std::vector<ListedKey> decode_keys(std::string_view bytes);

} // namespace rocket::verify

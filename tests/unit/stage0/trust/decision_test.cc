// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/decision.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using verify::Signature;
using verify::Verdict;

namespace
{

const std::string alice(40, 'a');
const std::string bob(40, 'b');
const std::string stranger(40, 'c');
const auto name = model::AcIdentifier::parse("example.com/web");

std::string outcome(std::vector<Signature> signatures)
{
    try {
        return "ok " + trust::decide({std::move(signatures), {}}, {alice, bob}, name).fingerprint;
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::untrusted);
        return error.what();
    }
}

bool has(const std::string& text, const std::string& part)
{
    CAPTURE(text);
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("decision: one good signature by a trusted key is enough (SIG-10)")
{
    CHECK(outcome({{Verdict::good, alice, "", {}}}) == "ok " + alice);
    CHECK(outcome({{Verdict::unknown_key, "0123", "", {}}, {Verdict::good, bob, "", {}}}) == "ok " + bob);
    CHECK(outcome({{Verdict::key_expired, alice, "", {}}, {Verdict::good, bob, "", {}}}) == "ok " + bob);
    CHECK(outcome({{Verdict::bad, stranger, "", {}}, {Verdict::good, bob, "", {}}}) == "ok " + bob);
}

TEST_CASE("decision: a bad one by a trusted key spoils everything (R11)")
{
    CHECK(has(outcome({{Verdict::good, alice, "", {}}, {Verdict::bad, bob, "", {"Bob\n<b>"}}}),
              "BAD signature by key " + bob + " (Bob\\n<b>)"));
    CHECK(has(outcome({{Verdict::bad, alice, "", {}}}), "BAD signature"));
}

TEST_CASE("decision: each refusal has its own reason")
{
    CHECK(has(outcome({}), "no signature"));
    CHECK(has(outcome({{Verdict::good, stranger, "", {}}}), "not trusted for \"example.com/web\""));
    CHECK(has(outcome({{Verdict::good, "", "", {}}}), "not trusted for \"example.com/web\""));
    CHECK(has(outcome({{Verdict::unknown_key, "0123", "", {}}}), "key 0123, which is not trusted"));
    CHECK(has(outcome({{Verdict::signature_expired, alice, "", {}}}), "signature by key " + alice + " has expired"));
    CHECK(has(outcome({{Verdict::key_expired, alice, "", {}}}), "key " + alice + ", which has expired"));
    CHECK(has(outcome({{Verdict::key_revoked, alice, "", {}}}), "revoked"));
    CHECK(has(outcome({{Verdict::unusable, alice, "some\x1b reason", {}}}), "cannot be used: some\\x1b reason"));
    CHECK(has(outcome({{Verdict::unknown_key, "0123", "", {}}, {Verdict::key_revoked, alice, "", {}}}), "revoked"));
}

TEST_CASE("decision: the way out is in the hint")
{
    try {
        trust::decide({{{Verdict::unknown_key, "0123", "", {}}}, {}}, {alice}, name);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(has(error.hint(), "rocket trust --prefix=example.com/web KEYFILE"));
    }
}

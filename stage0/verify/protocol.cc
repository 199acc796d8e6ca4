// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/protocol.hh"

#include <cstdint>

#include "common/sys/text.hh"

namespace rocket::verify
{

namespace
{

enum class Answer : unsigned { error, checked, keys };

class Writer
{
public:
    void number(std::size_t value)
    {
        for (unsigned shift = 0; shift < 32; shift += 8)
            bytes_ += static_cast<char>(value >> shift & 0xFFU);
    }
    void text(std::string_view value)
    {
        number(value.size());
        bytes_ += value;
    }
    void texts(const std::vector<std::string>& values)
    {
        number(values.size());
        for (const auto& value : values)
            text(value);
    }
    std::string done() { return std::move(bytes_); }

private:
    std::string bytes_;
};

[[noreturn]] void fail_malformed(std::string_view what)
{
    fail(Error::Kind::corrupt, "a message of the signature checker is malformed: {}", what);
}

class Reader
{
public:
    explicit Reader(std::string_view rest) : rest_{rest} {}

    std::size_t number(std::size_t max)
    {
        std::size_t value = 0;
        const auto bytes = take(4);
        for (unsigned i = 0; i < 4; ++i)
            value |= std::size_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
        if (value > max)
            fail_malformed("a number is too large");
        return value;
    }
    std::string text(std::size_t max) { return std::string{take(number(max))}; }
    std::vector<std::string> texts(std::size_t max_count, std::size_t max)
    {
        std::vector<std::string> values;
        for (auto left = number(max_count); left > 0; --left)
            values.push_back(text(max));
        return values;
    }
    void finish() const
    {
        if (!rest_.empty())
            fail_malformed("it goes on after its end");
    }

private:
    std::string_view take(std::size_t count)
    {
        if (count > rest_.size())
            fail_malformed("it is cut off");
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::string_view rest_;
};

constexpr std::size_t max_keys = 1000;
constexpr std::size_t max_file = std::size_t{4} << 20;
constexpr std::size_t max_line = 4096;
constexpr std::size_t max_lines = 1000;

std::string fingerprint(Reader& in)
{
    auto text = in.text(40);
    if (text.size() != 40 || !text::is_lower_hex(text))
        fail_malformed("a fingerprint is none");
    return text;
}

Reader open_answer(std::string_view bytes, Answer expected)
{
    Reader in{bytes};
    const auto kind = static_cast<Answer>(in.number(static_cast<std::size_t>(Answer::keys)));
    if (kind == Answer::error)
        throw Error::deserialize(in.text(max_file));
    if (kind != expected)
        fail_malformed("it answers another question");
    return in;
}

Writer begin_answer(Answer kind)
{
    Writer out;
    out.number(static_cast<std::size_t>(kind));
    return out;
}

} // namespace

std::string encode(const Request& request)
{
    Writer out;
    out.number(static_cast<std::size_t>(request.task));
    out.number(request.keys.size());
    for (const auto& key : request.keys) {
        out.text(key.fingerprint);
        out.text(key.file);
    }
    out.text(request.file);
    return out.done();
}

Request decode_request(std::string_view bytes)
{
    Reader in{bytes};
    Request request;
    request.task = static_cast<Request::Task>(in.number(2));
    for (auto left = in.number(max_keys); left > 0; --left) {
        auto name = fingerprint(in);
        request.keys.push_back({std::move(name), in.text(max_file)});
    }
    request.file = in.text(max_file);
    in.finish();
    return request;
}

std::string encode(const Error& error)
{
    auto out = begin_answer(Answer::error);
    out.text(error.serialize());
    return out.done();
}

std::string encode(const Checked& checked)
{
    auto out = begin_answer(Answer::checked);
    out.number(checked.signatures.size());
    for (const auto& signature : checked.signatures) {
        out.number(static_cast<std::size_t>(signature.verdict));
        out.text(signature.key);
        out.text(signature.detail);
        out.texts(signature.identities);
    }
    out.number(checked.unusable_keys.size());
    for (const auto& key : checked.unusable_keys) {
        out.text(key.fingerprint);
        out.text(key.reason);
    }
    out.text(checked.payload);
    return out.done();
}

Checked decode_checked(std::string_view bytes)
{
    auto in = open_answer(bytes, Answer::checked);
    Checked checked;
    for (auto left = in.number(max_lines); left > 0; --left) {
        Signature signature;
        signature.verdict = static_cast<Verdict>(in.number(static_cast<std::size_t>(last_verdict)));
        signature.key = in.text(40);
        if (!text::is_lower_hex(signature.key))
            fail_malformed("a key id is none");
        signature.detail = in.text(max_line);
        signature.identities = in.texts(max_lines, max_line);
        checked.signatures.push_back(std::move(signature));
    }
    for (auto left = in.number(max_keys); left > 0; --left) {
        auto name = fingerprint(in);
        checked.unusable_keys.push_back({std::move(name), in.text(max_line)});
    }
    checked.payload = in.text(max_file);
    in.finish();
    return checked;
}

std::string encode(const std::vector<ListedKey>& keys)
{
    auto out = begin_answer(Answer::keys);
    out.number(keys.size());
    for (const auto& key : keys) {
        out.text(key.fingerprint);
        out.texts(key.subkeys);
        out.texts(key.identities);
        out.text(key.warning);
        out.text(key.armoured);
    }
    return out.done();
}

std::vector<ListedKey> decode_keys(std::string_view bytes)
{
    auto in = open_answer(bytes, Answer::keys);
    std::vector<ListedKey> keys;
    for (auto left = in.number(max_keys); left > 0; --left) {
        ListedKey key;
        key.fingerprint = fingerprint(in);
        for (auto subkeys = in.number(max_lines); subkeys > 0; --subkeys)
            key.subkeys.push_back(fingerprint(in));
        key.identities = in.texts(max_lines, max_line);
        key.warning = in.text(max_line);
        key.armoured = in.text(max_file);
        keys.push_back(std::move(key));
    }
    in.finish();
    return keys;
}

} // namespace rocket::verify

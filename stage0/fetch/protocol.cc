// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/protocol.hh"

#include "common/sys/error.hh"
#include "common/sys/message.hh"

namespace rocket::fetch
{

namespace
{

constexpr std::size_t most_headers = 256;
constexpr std::size_t most_tags = 256;
constexpr std::size_t largest_tag = 4096;
constexpr std::size_t largest_text = std::size_t{16} << 10;

void put(MessageWriter& out, const Headers& headers)
{
    out.number(headers.size());
    for (const auto& header : headers)
        out.text(header.name).text(header.value);
}

Headers take_headers(MessageReader& in)
{
    Headers headers(in.number(most_headers));
    for (auto& header : headers) {
        header.name = in.text(largest_headers);
        header.value = in.text(largest_headers);
    }
    return headers;
}

void put(MessageWriter& out, const Start& start)
{
    out.number(start.id).text(start.method).text(start.url);
    put(out, start.headers);
    out.text(start.body).number(start.connect_seconds).number(start.idle_seconds).number(start.total_seconds);
    out.number(start.verify_tls ? 1 : 0);
}

Start take_start(MessageReader& in)
{
    Start start;
    start.id = in.number();
    start.method = in.text(16);
    start.url = in.text(largest_text);
    start.headers = take_headers(in);
    start.body = in.text(largest_text);
    start.connect_seconds = in.number(UINT32_MAX);
    start.idle_seconds = in.number(UINT32_MAX);
    start.total_seconds = in.number(UINT32_MAX);
    start.verify_tls = in.number(1) == 1;
    return start;
}

void put(MessageWriter& out, const Decision& decision)
{
    out.number(decision.id).number(static_cast<std::uint64_t>(decision.body));
    out.number(decision.offset).number(decision.limit);
}

Decision take_decision(MessageReader& in)
{
    Decision decision;
    decision.id = in.number();
    decision.body = static_cast<Decision::Body>(in.number(static_cast<std::uint64_t>(Decision::Body::tags)));
    decision.offset = in.number(INT64_MAX);
    decision.limit = in.number(INT64_MAX);
    return decision;
}

void put(MessageWriter& out, const Cancel& cancel)
{
    out.number(cancel.id);
}

void put(MessageWriter& out, const Head& head)
{
    out.number(head.id).number(head.status);
    put(out, head.headers);
}

Head take_head(MessageReader& in)
{
    Head head;
    head.id = in.number();
    head.status = in.number(999);
    head.headers = take_headers(in);
    return head;
}

void put(MessageWriter& out, const Done& done)
{
    out.number(done.id).number(done.bytes).number(done.tags.size());
    for (const auto& tag : done.tags)
        out.text(tag.name).text(tag.content);
}

Done take_done(MessageReader& in)
{
    Done done;
    done.id = in.number();
    done.bytes = in.number(INT64_MAX);
    done.tags.resize(in.number(most_tags));
    for (auto& tag : done.tags) {
        tag.name = in.text(largest_tag);
        tag.content = in.text(largest_tag);
    }
    return done;
}

void put(MessageWriter& out, const Failed& failed)
{
    out.number(failed.id).number(static_cast<std::uint64_t>(failed.failure)).number(failed.bytes).text(failed.text);
}

Failed take_failed(MessageReader& in)
{
    Failed failed;
    failed.id = in.number();
    failed.failure = static_cast<Failure>(in.number(static_cast<std::uint64_t>(Failure::other)));
    failed.bytes = in.number(INT64_MAX);
    failed.text = in.text(largest_text);
    return failed;
}

template <typename Variant>
std::string encode_any(const Variant& message)
{
    MessageWriter out;
    out.number(message.index());
    std::visit([&](const auto& which) { put(out, which); }, message);
    return out.done();
}

} // namespace

std::string encode(const ToWorker& message)
{
    return encode_any(message);
}

std::string encode(const ToBroker& message)
{
    return encode_any(message);
}

ToWorker decode_to_worker(std::string_view bytes)
{
    MessageReader in{bytes};
    ToWorker message;
    switch (in.number(2)) {
    case 0:
        message = take_start(in);
        break;
    case 1:
        message = take_decision(in);
        break;
    default:
        message = Cancel{in.number()};
    }
    in.end();
    return message;
}

ToBroker decode_to_broker(std::string_view bytes)
{
    MessageReader in{bytes};
    ToBroker message;
    switch (in.number(2)) {
    case 0:
        message = take_head(in);
        break;
    case 1:
        message = take_done(in);
        break;
    default:
        message = take_failed(in);
    }
    in.end();
    return message;
}

} // namespace rocket::fetch

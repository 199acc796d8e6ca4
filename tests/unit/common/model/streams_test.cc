// SPDX-License-Identifier: Apache-2.0
#include "common/model/streams.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

Annotations annotations(const std::vector<std::pair<const char*, const char*>>& streams)
{
    Annotations all;
    for (const auto& [stream, mode] : streams)
        set(all, stream_annotation(stream), mode);
    return all;
}

} // namespace

TEST_CASE("streams: defaults, and each by itself")
{
    CHECK(streams_of({}) == Streams{StreamMode::null, StreamMode::log, StreamMode::log});
    const auto streams = streams_of(annotations({{"stdin", "stream"}, {"stderr", "tty"}}));
    CHECK(streams == Streams{StreamMode::stream, StreamMode::log, StreamMode::tty});
    CHECK(streams.has_terminal());
    CHECK_FALSE(Streams{}.has_terminal());
}

TEST_CASE("streams: an app is interactive as a whole")
{
    constexpr auto all = StreamMode::interactive;
    CHECK(streams_of(annotations({{"stdin", "interactive"}, {"stdout", "null"}})) == Streams{all, all, all});
}

TEST_CASE("streams: what there is not")
{
    CHECK_THROWS_WITH(parse_stream_mode("stdin", "log"), "stdin cannot be \"log\"");
    CHECK_THROWS_AS(parse_stream_mode("stdout", ""), Error);
    CHECK_THROWS_AS(parse_stream_mode("stdout", "TTY"), Error);
    CHECK_THROWS_AS(streams_of(annotations({{"stdout", "file"}})), Error);
}

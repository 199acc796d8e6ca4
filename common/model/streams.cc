// SPDX-License-Identifier: Apache-2.0
#include "common/model/streams.hh"

#include <algorithm>
#include <array>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

struct Word {
    std::string_view word;
    StreamMode mode;
    bool for_input;
    bool for_output;
};
constexpr std::array<Word, 5> words{{
    {"null", StreamMode::null, true, true},
    {"log", StreamMode::log, false, true},
    {"stream", StreamMode::stream, true, true},
    {"tty", StreamMode::tty, true, true},
    {"interactive", StreamMode::interactive, true, true},
}};

} // namespace

StreamMode parse_stream_mode(std::string_view stream, std::string_view mode)
{
    const bool input = stream == "stdin";
    std::string possible;
    for (const auto& word : words) {
        if (input ? !word.for_input : !word.for_output)
            continue;
        if (word.word == mode)
            return word.mode;
        possible += fmt::format("{}{}", possible.empty() ? "" : ", ", word.word);
    }
    throw Error{Error::Kind::usage, fmt::format("{} cannot be {}", stream, text::quoted(mode)),
                fmt::format("it can be one of {}", possible)};
}

AcIdentifier stream_annotation(std::string_view stream)
{
    return AcIdentifier::parse(fmt::format("coreos.com/rkt/stage2/{}", stream));
}

Streams streams_of(const Annotations& annotations)
{
    Streams streams;
    const auto read = [&](std::string_view stream, StreamMode& mode) {
        if (const auto* value = find(annotations, stream_annotation(stream).str()))
            mode = parse_stream_mode(stream, *value);
    };
    read("stdin", streams.input);
    read("stdout", streams.output);
    read("stderr", streams.error);
    if (streams.uses(StreamMode::interactive))
        streams = {StreamMode::interactive, StreamMode::interactive, StreamMode::interactive};
    return streams;
}

} // namespace rocket::model

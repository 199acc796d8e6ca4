// SPDX-License-Identifier: Apache-2.0
// Where an app's standard streams lead (cli 7.2, internals 8.1), as annotations of the app in the pod manifest:
// coreos.com/rkt/stage2/stdin, stdout and stderr.
#pragma once

#include <string>
#include <string_view>

#include "common/model/labels.hh"

namespace rocket::model
{

enum class StreamMode {
    null,        // /dev/null
    log,         // outputs: to the caller of `run`, and into the pod's journal
    stream,      // a pipe that `attach` leads to
    tty,         // a terminal of the app's own that `attach` leads to
    interactive, // the terminal, or the descriptors, of the caller of `run`
};

struct Streams {
    StreamMode input = StreamMode::null;
    StreamMode output = StreamMode::log;
    StreamMode error = StreamMode::log;
    bool uses(StreamMode mode) const noexcept { return input == mode || output == mode || error == mode; }
    // The app has a terminal, its own or the caller's.
    bool has_terminal() const noexcept { return uses(StreamMode::tty) || uses(StreamMode::interactive); }
    bool operator==(const Streams&) const = default;
};

// `stream`: "stdin", "stdout" or "stderr". Kind::usage for a mode that there is not, or not for this stream.
StreamMode parse_stream_mode(std::string_view stream, std::string_view mode);
AcIdentifier stream_annotation(std::string_view stream);

// What the annotations say; an app that has one interactive stream is interactive as a whole.
Streams streams_of(const Annotations& annotations);

} // namespace rocket::model

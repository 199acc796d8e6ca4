// SPDX-License-Identifier: Apache-2.0
// A log file of one app in the format of Kubernetes' container runtime interface: lines of "TIME stdout|stderr P|F
// TEXT", P for a piece of a line that goes on (internals 8.3, F2). The file is appended to, and opened again when it
// was moved away. A file that cannot be written costs the log, never the output or the app.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/pod_manifest.hh"
#include "common/sys/fd.hh"

namespace rocket::stage1
{

// Where an app's log goes: annotations of pod and app (internals 2.3).
struct CriLogPlace {
    std::string directory; // on the host, absolute
    std::string name;      // of the file in it
    bool operator==(const CriLogPlace&) const = default;
};
// Nothing unless the pod has a log mode. Kind::usage for a mode that there is not, and for a path that is not directly
// in the directory.
std::optional<CriLogPlace> cri_log_place(const model::PodManifest& pod, const model::RuntimeApp& app);

class CriLog
{
public:
    explicit CriLog(CriLogPlace place); // throws if the file cannot be opened

    void write(std::string_view stream, std::string_view bytes); // "stdout" or "stderr"
    void end(std::string_view stream);                           // an unfinished line is one
    void reopen();

    // The lines for `bytes`, pure; `rest` keeps an unfinished line.
    static std::string format(std::string& rest, std::string_view stream, std::string_view bytes,
                              std::int64_t now_nsec);
    static constexpr std::size_t longest_piece = 16U << 10U;

private:
    void append(std::string_view text);

    CriLogPlace place_;
    Fd file_;
    std::map<std::string, std::string, std::less<>> rests_;
};

} // namespace rocket::stage1

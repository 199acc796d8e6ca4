// SPDX-License-Identifier: Apache-2.0
#include "stage1/app/cri_log.hh"

#include <algorithm>
#include <ctime>
#include <utility>

#include "common/sys/log.hh"
#include "common/sys/path.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* mode_annotation = "coreos.com/rkt/experiment/logmode";
constexpr const char* directory_annotation = "coreos.com/rkt/experiment/kubernetes-log-dir";
constexpr const char* path_annotation = "coreos.com/rkt/experiment/kubernetes-log-path";
constexpr const char* directory_in_pod = "/rkt/kubernetes/log"; // what paths may be written as below, as in rkt

const std::string& required(const model::Annotations& annotations, const char* name)
{
    const auto* value = model::find(annotations, name);
    if (value == nullptr)
        fail(Error::Kind::usage, "a pod with a log mode needs the annotation {}", name);
    return *value;
}

std::string file_name(const std::string& path)
{
    auto cleaned = clean_absolute(path);
    if (is_at_or_below(cleaned, directory_in_pod))
        cleaned = cleaned.substr(std::string_view{directory_in_pod}.size());
    if (cleaned.size() < 2 || cleaned.find('/', 1) != std::string::npos || path.find("..") != std::string::npos)
        fail(Error::Kind::usage, "log path {} is not directly in the pod's log directory", text::quoted(path));
    return cleaned.substr(1);
}

Fd open_log(const CriLogPlace& place)
{
    const auto directory = sys::open(AT_FDCWD, place.directory, O_PATH | O_DIRECTORY);
    auto file = sys::open(directory.get(), place.name,
                          O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
    if (!S_ISREG(sys::stat(file.get()).st_mode))
        fail(Error::Kind::usage, "log file {} is not a regular file", text::quoted(place.name));
    return file;
}

std::string time_text(std::int64_t nsec)
{
    constexpr std::int64_t second = 1'000'000'000;
    const auto clock = static_cast<std::time_t>(nsec / second);
    std::tm parts{};
    ::gmtime_r(&clock, &parts);
    char date[32] = {};
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:09}Z", date, nsec % second);
}

} // namespace

std::optional<CriLogPlace> cri_log_place(const model::PodManifest& pod, const model::RuntimeApp& app)
{
    const auto* mode = model::find(pod.annotations, mode_annotation);
    if (mode == nullptr || mode->empty())
        return std::nullopt;
    if (*mode != "k8s-plain")
        fail(Error::Kind::unsupported, "there is no log mode {}", text::quoted(*mode));
    const auto& directory = required(pod.annotations, directory_annotation);
    if (!directory.starts_with('/'))
        fail(Error::Kind::usage, "log directory {} is not absolute", text::quoted(directory));
    return CriLogPlace{directory, file_name(required(app.annotations, path_annotation))};
}

CriLog::CriLog(CriLogPlace place) : place_{std::move(place)}, file_{open_log(place_)} {}

std::string CriLog::format(std::string& rest, std::string_view stream, std::string_view bytes, std::int64_t now_nsec)
{
    std::string lines;
    const auto time = time_text(now_nsec);
    const auto put = [&](char tag) {
        fmt::format_to(std::back_inserter(lines), "{} {} {} {}\n", time, stream, tag, rest);
        rest.clear();
    };
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, longest_piece - rest.size());
        const auto newline = piece.find('\n');
        rest += piece.substr(0, newline);
        bytes.remove_prefix(newline == std::string_view::npos ? piece.size() : newline + 1);
        if (newline != std::string_view::npos)
            put('F');
        else if (rest.size() >= longest_piece)
            put('P');
    }
    return lines;
}

void CriLog::write(std::string_view stream, std::string_view bytes)
{
    append(format(rests_[std::string{stream}], stream, bytes, sys::realtime_nsec()));
}

void CriLog::end(std::string_view stream)
{
    const auto found = rests_.find(stream);
    if (found != rests_.end() && !found->second.empty())
        append(format(found->second, stream, "\n", sys::realtime_nsec()));
}

void CriLog::reopen()
{
    try {
        file_ = open_log(place_);
    } catch (const Error& error) { // what was open is still there
        log::print("warning: log file not opened again: {}", error.what());
    }
}

void CriLog::append(std::string_view text)
{
    if (!file_ || text.empty())
        return;
    try {
        sys::write_all(file_.get(), text);
    } catch (const Error& error) {
        log::print("warning: log file {} is given up: {}", text::quoted(place_.name), error.what());
        file_.reset();
    }
}

} // namespace rocket::stage1

// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/unpacker.hh"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <map>
#include <vector>

#include "common/sys/libexec.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

constexpr std::size_t pipe_bytes = std::size_t{1} << 20;

sys::Pipe make_large_pipe()
{
    auto pipe = sys::make_pipe();
    ::fcntl(pipe.write.get(), F_SETPIPE_SZ, pipe_bytes); // only for speed, and the host may not allow it
    return pipe;
}

// A worker that has gone is an error of write(2) here, whatever the program does with SIGPIPE otherwise.
class NoSigpipe
{
public:
    NoSigpipe()
    {
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;
    ~NoSigpipe()
    {
        const timespec now{};
        ::sigtimedwait(&pipe_, nullptr, &now); // one that is pending would come with the next line
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_{};
    sigset_t before_{};
};

// One confined worker: its process and the two pipes every one has.
struct Worker {
    std::string name;
    Fd input; // where we write; closed when it has everything, or has gone
    Fd report_pipe;
    Process process;
    std::string report;

    bool has_ended() const { return !report_pipe; } // it closes its report last
};

Worker start(const UnpackJob& job, const std::string& mode, std::map<int, int> fds)
{
    auto input = make_large_pipe();
    auto report = sys::make_pipe();
    fds[0] = input.read.get();
    fds[3] = report.write.get();
    auto argv = unpack::words_of(job.limits);
    const bool is_decompressor = mode == "decompress";
    if (!is_decompressor && job.allow_devices)
        argv.insert(argv.begin(), "--devices");
    if (is_decompressor && job.content != UnpackJob::Content::image)
        argv.insert(argv.begin(), "--layer");
    argv.insert(argv.begin(), {"unpack", mode});
    auto process =
        spawn({.program = libexec_path("unpack"), .argv = argv, .env = {}, .fds = fds, .working_directory = "/"});
    sys::set_nonblocking(input.write.get(), true);
    sys::set_nonblocking(report.read.get(), true);
    return {.name = is_decompressor ? "decompressor" : "extractor",
            .input = std::move(input.write),
            .report_pipe = std::move(report.read),
            .process = std::move(process),
            .report = {}};
}

// What was read and is still to be written.
class Buffer
{
public:
    bool empty() const noexcept { return rest_.empty(); }
    void clear() noexcept { rest_ = {}; }
    // Reads from somewhere into the buffer; what came, empty at the end.
    template <typename ReadSome>
    std::string_view fill(ReadSome&& read)
    {
        rest_ = {bytes_.data(), read(bytes_.data(), bytes_.size())};
        return rest_;
    }
    // Writes what the pipe takes now; false if nobody reads it any more.
    bool drain(int fd)
    {
        const auto written = ::write(fd, rest_.data(), rest_.size());
        if (written >= 0)
            rest_.remove_prefix(static_cast<std::size_t>(written));
        else if (errno == EPIPE)
            return false;
        else if (errno != EAGAIN && errno != EINTR)
            throw system_error(errno, "passing on the image");
        return true;
    }

private:
    std::vector<char> bytes_ = std::vector<char>(pipe_bytes);
    std::string_view rest_;
};

using Content = UnpackJob::Content;

const char* extractor_mode(Content content)
{
    switch (content) {
    case Content::layer:
        return "layer";
    case Content::files:
        return "members";
    default:
        return "extract";
    }
}

std::uint64_t size_of(const UnpackJob& job)
{
    const auto end = static_cast<std::uint64_t>(sys::stat(job.archive).st_size);
    return std::min(job.size, end - std::min(job.begin, end));
}

class Pump
{
public:
    explicit Pump(const UnpackJob& job);
    Unpacked run();

private:
    void turn();
    void feed_archive();
    void take_tar();
    void feed_tar();
    void take_report(Worker& worker);
    unpack::Report finish(Worker& worker);
    void take_results(unpack::Report report, Unpacked& result) const;
    std::uint64_t largest_report() const
    {
        return std::max<std::uint64_t>(job_.limits.manifest_bytes, unpack::largest_list) + unpack::largest_error +
               16 * unpack::largest_note;
    }

    const UnpackJob& job_;
    NoSigpipe no_sigpipe_;
    std::uint64_t total_;
    Fd tar_pipe_;
    Worker decompressor_;
    Worker extractor_;
    Buffer raw_;
    Buffer tar_;
    std::optional<Sha512Hasher> hash_; // that makes the id
    std::optional<ContentHasher> archive_hash_;
    std::optional<ContentHasher> tar_hash_;
    std::uint64_t archive_bytes_ = 0;
    std::uint64_t tar_bytes_ = 0;
};

Pump::Pump(const UnpackJob& job) : job_{job}, total_{size_of(job)}
{
    if (job_.content == Content::image || job_.content == Content::nothing)
        hash_.emplace();
    if (job_.archive_digest)
        archive_hash_.emplace(*job_.archive_digest);
    if (job_.tar_digest)
        tar_hash_.emplace(*job_.tar_digest);
    auto tar = make_large_pipe();
    decompressor_ = start(job_, "decompress", {{1, tar.write.get()}});
    tar_pipe_ = std::move(tar.read);
    sys::set_nonblocking(tar_pipe_.get(), true);
    if (job_.content != Content::nothing)
        extractor_ = start(job_, extractor_mode(job_.content),
                           job_.tree >= 0 ? std::map<int, int>{{4, job_.tree}} : std::map<int, int>{});
}

Unpacked Pump::run()
{
    while (!decompressor_.has_ended() || tar_pipe_ || !tar_.empty() || !extractor_.has_ended())
        turn();
    if (job_.tick)
        job_.tick(archive_bytes_, total_);
    finish(decompressor_);
    Unpacked result{.id = model::ImageId::of_sha512(hash_ ? hash_->finish() : Sha512{}),
                    .archive_bytes = archive_bytes_,
                    .tar_bytes = tar_bytes_};
    if (archive_hash_)
        result.archive_digest = archive_hash_->finish();
    if (tar_hash_)
        result.tar_digest = tar_hash_->finish();
    if (job_.content != Content::nothing)
        take_results(finish(extractor_), result);
    return result;
}

void Pump::take_results(unpack::Report report, Unpacked& result) const
{
    const bool complete = job_.content == Content::image   ? report.manifest && report.tree
                          : job_.content == Content::layer ? report.seams && report.tree
                                                           : report.members.has_value();
    if (!complete)
        fail(Error::Kind::system, "the extractor ended without a result");
    result.manifest = std::move(report.manifest).value_or("");
    result.seams = std::move(report.seams).value_or("");
    result.files = std::move(report.members).value_or("");
    result.tree = report.tree.value_or(unpack::TreeSummary{});
}

// Waits until any of the pipes can move, and moves what it can.
void Pump::turn()
{
    if (decompressor_.input && raw_.empty())
        feed_archive();
    enum Place { archive, tar, extraction, decompressor_report, extractor_report, places };
    std::array<pollfd, places> polled;
    polled.fill({.fd = -1, .events = 0, .revents = 0});
    const auto watch = [&](Place place, const Fd& fd, short events) { polled[place] = {fd.get(), events, 0}; };
    watch(archive, decompressor_.input, POLLOUT);
    if (tar_.empty())
        watch(tar, tar_pipe_, POLLIN);
    else
        watch(extraction, extractor_.input, POLLOUT);
    watch(decompressor_report, decompressor_.report_pipe, POLLIN);
    watch(extractor_report, extractor_.report_pipe, POLLIN);

    sys::check([&] { return ::poll(polled.data(), polled.size(), 1000); }, "waiting for the workers");
    if (job_.tick)
        job_.tick(archive_bytes_, total_);
    if (polled[archive].revents != 0 && !raw_.drain(decompressor_.input.get()))
        decompressor_.input.reset(); // its report says why
    if (polled[tar].revents != 0)
        take_tar();
    if (polled[extraction].revents != 0)
        feed_tar();
    if (polled[decompressor_report].revents != 0)
        take_report(decompressor_);
    if (polled[extractor_report].revents != 0)
        take_report(extractor_);
}

void Pump::feed_archive()
{
    const auto bytes = raw_.fill([&](char* buffer, std::size_t size) {
        const auto wanted = std::min<std::uint64_t>(size, job_.size - archive_bytes_);
        const auto at = static_cast<off_t>(job_.begin + archive_bytes_);
        return static_cast<std::size_t>(
            sys::check([&] { return ::pread(job_.archive, buffer, wanted, at); }, "reading the image"));
    });
    archive_bytes_ += bytes.size();
    if (archive_hash_)
        archive_hash_->add(bytes);
    if (bytes.empty())
        decompressor_.input.reset();
    else if (job_.copy >= 0)
        with_context("copying the image", [&] { sys::write_all(job_.copy, bytes); });
}

void Pump::take_tar()
{
    const auto bytes =
        tar_.fill([&](char* buffer, std::size_t size) { return sys::read_some(tar_pipe_.get(), buffer, size); });
    if (bytes.empty()) {
        tar_pipe_.reset();
        extractor_.input.reset();
        return;
    }
    tar_bytes_ += bytes.size();
    if (tar_bytes_ > job_.limits.unpacked_bytes) // the worker was to stop here; it is not believed
        fail(Error::Kind::corrupt, "the image unpacks to more than {} bytes (limit unpacked-bytes)",
             job_.limits.unpacked_bytes);
    if (hash_)
        hash_->add(bytes);
    if (tar_hash_)
        tar_hash_->add(bytes);
    if (job_.tar >= 0)
        with_context("writing the image", [&] { sys::write_all(job_.tar, bytes); });
    if (job_.content == Content::nothing)
        tar_.clear();
}

void Pump::feed_tar()
{
    if (tar_.drain(extractor_.input.get()))
        return;
    // It went before the end: with an error, which is in its report, or killed.
    extractor_.input.reset();
    while (!extractor_.has_ended()) {
        pollfd ready{.fd = extractor_.report_pipe.get(), .events = POLLIN, .revents = 0};
        sys::check([&] { return ::poll(&ready, 1, -1); }, "waiting for the extractor");
        take_report(extractor_);
    }
    finish(extractor_);
    fail(Error::Kind::system, "the extractor ended before the image did");
}

void Pump::take_report(Worker& worker)
{
    std::array<char, 65536> buffer;
    const auto size = sys::read_some(worker.report_pipe.get(), buffer.data(), buffer.size());
    worker.report.append(buffer.data(), size);
    if (worker.report.size() > largest_report())
        fail(Error::Kind::corrupt, "the {}'s report is too long", worker.name);
    if (size == 0)
        worker.report_pipe.reset();
}

// Throws what the worker has to complain about.
unpack::Report Pump::finish(Worker& worker)
{
    const auto status = worker.process.wait();
    auto report = unpack::parse_report(worker.report, job_.limits.manifest_bytes);
    for (const auto& note : report.notes)
        if (job_.debug)
            job_.debug(fmt::format("{}: {}", worker.name, note));
    if (report.error)
        throw *report.error;
    if (status.signal == SIGXCPU)
        fail(Error::Kind::corrupt, "the image takes more than {} seconds to unpack (limit cpu-seconds)",
             job_.limits.cpu_seconds);
    if (!status.ok())
        fail(Error::Kind::system, "the {} ended with {} {}", worker.name, status.signal != 0 ? "signal" : "status",
             status.signal != 0 ? status.signal : status.code);
    return report;
}

} // namespace

Unpacked unpack_image(const UnpackJob& job)
{
    return Pump{job}.run();
}

} // namespace rocket::store

// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "common/sys/sys.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

namespace
{

// A file of the user's, which may be anything: nothing but a regular file is waited for or read.
Fd open_regular(const std::string& path)
{
    auto fd = sys::open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!S_ISREG(sys::stat(fd.get()).st_mode))
        fail(Error::Kind::usage, "{} is not a regular file", text::quoted(path));
    return fd;
}

std::string stamp_of(int fd)
{
    const auto info = sys::stat(fd);
    return fmt::format("{}:{}:{}:{}.{:09}", info.st_dev, info.st_ino, info.st_size, info.st_ctim.tv_sec,
                       info.st_ctim.tv_nsec);
}

std::string signature_for(const Session& session, const std::string& path, const Request& request)
{
    if (!session.checks_signatures())
        return {};
    return read_signature_file(request.signature.empty() ? path + ".asc" : request.signature);
}

std::optional<model::ImageId> already_fetched(const Session& session, const std::string& stamp)
{
    for (const auto& entry : session.store().list())
        if (entry.is_believed && (!session.checks_signatures() || entry.verified) &&
            session.store().record(entry.id).source_stamp == stamp)
            return entry.id;
    return std::nullopt;
}

model::ImageId fetch(Session& session, const std::string& path, const Request& request,
                     const model::ImageName* expected = nullptr)
{
    const auto archive = open_regular(path);
    const auto signature = signature_for(session, path, request); // before the image: without one, there is no point
    const auto stamp = stamp_of(archive.get());
    session.store().tidy();
    const auto lock = session.lock(path);
    if (lock.had_to_wait())
        if (auto done = already_fetched(session, stamp))
            return *done;

    session.debug(fmt::format("fetching image from {}", text::quoted(path)));
    store::Import import{session.store(), archive.get()};
    if (stamp_of(archive.get()) != stamp)
        throw Error{Error::Kind::busy, "the file was changed while it was read", "try again when it is complete"};
    return session.admit(import, {.requested = request.image, .source = "file://" + path, .source_stamp = stamp},
                         signature, expected);
}

} // namespace

model::ImageId acquire_file(Session& session, const std::string& path, const Request& request,
                            const model::ImageName& expected)
{
    return fetch(session, path, request, &expected);
}

std::string read_signature_file(const std::string& path)
{
    try {
        return sys::read_to_end(open_regular(path).get(), largest_signature);
    } catch (const Error& error) {
        throw Error{
            Error::Kind::untrusted, error.innermost(),
            "an image needs a signature next to it, or named by --signature; --insecure-options=image does without"}
            .add_context("error opening signature file");
    }
}

void refuse_useless_signature(const Session& session, const Request& request)
{
    if (!session.checks_signatures() && !request.signature.empty())
        throw Error{Error::Kind::usage,
                    "--signature makes no sense while --insecure-options=image switches signatures off",
                    "leave one of them out"};
}

model::ImageId acquire_from(Session& session, const FileReference& file, const Request& request)
{
    refuse_useless_signature(session, request);
    if (file.hides_name)
        session.say(fmt::format("{} is a file here, which is read instead of the image of that name",
                                text::quoted(request.image)));
    return fetch(session, file.path, request);
}

} // namespace rocket::image

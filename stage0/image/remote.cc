// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/remote.hh"

#include <algorithm>
#include <optional>

#include "common/sys/sys.hh"
#include "stage0/image/partial.hh"
#include "stage0/image/places.hh"
#include "stage0/image/remote_record.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

namespace
{

using model::ImageId;

// One image on its way from one URL; the lock on the URL is held.
class Retrieval
{
public:
    Retrieval(Session& session, const RemoteImage& remote, const Request& request, std::optional<RemoteRecord> known)
        : session_{session}, remote_{remote}, request_{request}, known_{std::move(known)}
    {
    }
    ImageId run();

private:
    std::optional<std::string> ask_for_signature() const;
    std::string deferred_signature() const;
    fetch::Response download(Partial& partial) const;
    fetch::Response go_on(Partial& partial) const;
    ImageId import(const Partial& partial, const std::string& signature) const;
    void remember(const ImageId& id, const fetch::Response& response) const;

    Session& session_;
    const RemoteImage& remote_;
    const Request& request_;
    std::optional<RemoteRecord> known_;
};

bool is_local(const std::string& signature)
{
    return !signature.starts_with("https:") && !signature.starts_with("http:");
}

// nullopt: the server asks us to come for it later.
std::optional<std::string> Retrieval::ask_for_signature() const
{
    return with_context("error downloading the signature file", [&]() -> std::optional<std::string> {
        const auto url = request_.signature.empty() ? remote_.signature : fetch::Url::parse(request_.signature);
        auto request = session_.request(url, "signature");
        request.limit = largest_signature;
        auto response = session_.network().client.perform(request);
        if (response.status == 202)
            return std::nullopt;
        if (response.status != 200)
            fetch::fail_status(response);
        return std::move(response.body);
    });
}

std::string Retrieval::deferred_signature() const
{
    auto signature = ask_for_signature();
    if (!signature)
        throw Error{Error::Kind::untrusted,
                    "error downloading the signature file: server asked to defer the download again",
                    "the image may have to be signed first; try again later"};
    return std::move(*signature);
}

// A status of 200 or 206 leaves the whole image in `partial`; the only other one is 304.
fetch::Response Retrieval::download(Partial& partial) const
{
    return with_context("error downloading ACI", [&] {
        auto response = go_on(partial);
        if (response.status == 416) { // what is here is not a part of what is there
            session_.debug("cannot use cached partial download, the server has no such range");
            partial.begin({.status = 200});
            response = go_on(partial);
        }
        if (response.status == 202)
            throw fetch::HttpError{
                fetch::Failure::other, Error::Kind::system,
                fmt::format("{}: HTTP 202: the server has not got the image yet", text::printable(response.url)),
                "try again later"};
        if (response.status != 200 && response.status != 206 && response.status != 304)
            fetch::fail_status(response);
        return response;
    });
}

fetch::Response Retrieval::go_on(Partial& partial) const
{
    auto request = session_.request(remote_.url, "ACI");
    request.output = partial.fd();
    request.limit = session_.store().options().limits.unpacked_bytes;
    if (request_.largest != 0)
        request.limit = std::min(request.limit, request_.largest);
    request.on_head = [&](const fetch::Response& head) { partial.begin(head); };
    if (partial.is_complete()) {
        request.headers.push_back({"If-None-Match", partial.etag()});
    } else if (const auto size = partial.size(); size > 0 && !partial.etag().empty()) {
        session_.debug(fmt::format("going on with a download, {} bytes are here", size));
        request.resume_at = size;
        request.if_range = partial.etag();
    } else if (known_ && !known_->etag.empty()) {
        request.headers.push_back({"If-None-Match", known_->etag});
    }
    return session_.network().client.perform(request);
}

ImageId Retrieval::import(const Partial& partial, const std::string& signature) const
{
    store::Import import{session_.store(), partial.fd()};
    return session_.admit(import, {.requested = request_.image, .source = remote_.url.str()}, signature,
                          remote_.expected);
}

void Retrieval::remember(const ImageId& id, const fetch::Response& response) const
{
    RemoteRecord record{.url = remote_.url.str(), .id = id, .etag = response.header("etag")};
    if (record.etag.empty() && response.status == 304 && known_)
        record.etag = known_->etag;
    record.expires_ns = expiry_of(response);
    write_remote(session_.store().layout(), record);
}

ImageId Retrieval::run()
{
    auto signature = session_.checks_signatures() && is_local(request_.signature) && !request_.signature.empty()
                         ? read_signature_file(request_.signature)
                     : session_.checks_signatures() ? ask_for_signature()
                                                    : std::string{};
    if (signature && remote_.expected != nullptr)
        session_.check_issuer(remote_.expected->name, *signature);
    if (!signature)
        session_.say("server requested deferring the signature download");

    Partial partial{session_.store().layout(), key_of(remote_.url.str())};
    const bool was_complete = partial.is_complete();
    const bool was_begun = partial.size() > 0;
    const auto response = download(partial);
    if (response.status == 304 && !was_complete) {
        if (!known_)
            fetch::fail_status(response); // of nothing that we have asked about
        session_.debug(fmt::format("{} has not changed", text::quoted(remote_.url.str())));
        remember(known_->id, response);
        session_.store().mark_used(known_->id);
        return known_->id;
    }
    if (!signature)
        signature = deferred_signature();
    try {
        auto id = import(partial, *signature);
        partial.remove();
        remember(id, response);
        return id;
    } catch (const Error& error) {
        // Whatever it is that was put together there, it is of no use.
        if (error.kind() == Error::Kind::untrusted || error.kind() == Error::Kind::corrupt)
            partial.remove();
        if (!was_begun || (response.status != 206 && !was_complete))
            throw;
    }
    session_.debug("what was put together from two downloads is not the image, starting over");
    return run();
}

std::optional<RemoteRecord> usable_record(const Session& session, const std::string& url)
{
    auto record = read_remote(session.store().layout(), url);
    if (!record || !session.store().has(record->id) || session.store().other_writer(record->id))
        return std::nullopt;
    if (!session.is_met([&] { session.require_verified(record->id); }))
        return std::nullopt;
    return record;
}

} // namespace

RemoteImage remote_image(const fetch::Url& url)
{
    const auto path = url.path();
    return {.url = url, .signature = url.resolve(path + ".asc" + url.target().substr(path.size()))};
}

ImageId acquire_remote(Session& session, const RemoteImage& remote, const Request& request)
{
    const auto url = remote.url.str();
    const auto known = usable_record(session, url);
    if (known && (request.policy != PullPolicy::update || known->is_fresh())) {
        session.debug(fmt::format("using image from local store for {}", text::quoted(url)));
        session.store().mark_used(known->id);
        return known->id;
    }
    if (request.policy == PullPolicy::never)
        throw Error{Error::Kind::not_found,
                    "either image was not found in the store or store was disabled and fetching from remote yielded "
                    "nothing or it was disabled",
                    "leave --pull-policy=never out to fetch it"}
            .add_context(fmt::format("unable to fetch image from URL {}", text::quoted(url)));

    session.store().tidy();
    const auto lock = session.lock(url);
    if (lock.had_to_wait())
        if (const auto now = usable_record(session, url); now && now != known)
            return now->id;
    Partial::sweep(session.store().layout());
    session.debug(fmt::format("fetching image from {}", text::quoted(url)));
    return Retrieval{session, remote, request, known}.run();
}

} // namespace rocket::image

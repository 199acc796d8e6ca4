// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/acquire.hh"

#include <algorithm>

#include <fmt/ranges.h>

#include "common/sys/sys.hh"
#include "stage0/store/named_lock.hh"

namespace rocket::image
{

namespace
{

using model::ImageId;

constexpr std::size_t largest_signature = std::size_t{64} << 10;

constexpr auto unverified_hint =
    "fetch it again with its signature, or say --insecure-options=image to use it all the same";

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

// Two at once that fetch the same file do the work once: the second waits, and finds what the first has done.
std::string lock_for(const model::Layout& layout, const std::string& path)
{
    store::Sha256Hasher hasher;
    hasher.add(path);
    return layout.locks() + "/fetch-" + text::hex(hasher.finish()).substr(0, 32);
}

// Labels the user gave have to be there; the host's os and arch must not be contradicted.
bool suits_host(const store::Entry& entry, const model::ImageName& wanted)
{
    const auto host = wanted.for_host();
    return std::all_of(host.labels.begin(), host.labels.end(), [&](const model::Label& label) {
        const auto* have = model::find(entry.labels, label.name.str());
        return have != nullptr ? *have == label.value : model::find(wanted.labels, label.name.str()) == nullptr;
    });
}

std::string describe(const model::Labels& labels)
{
    std::vector<std::string> words;
    for (const auto& label : labels)
        words.push_back(fmt::format("{}={}", label.name.str(), label.value));
    return text::printable(fmt::format("[{}]", fmt::join(words, " ")));
}

} // namespace

PullPolicy parse_pull_policy(std::string_view text)
{
    if (text == "new")
        return PullPolicy::fresh;
    if (text == "update")
        return PullPolicy::update;
    if (text == "never")
        return PullPolicy::never;
    throw Error{Error::Kind::usage, fmt::format("unknown pull policy {}", text::quoted(text)),
                "the policies are new, update and never"};
}

Acquirer::Acquirer(store::Store& store, Verifier* verifier, Hooks hooks)
    : store_{store}, verifier_{verifier}, hooks_{std::move(hooks)}
{
}

ImageId Acquirer::acquire(const Request& request)
{
    const auto reference = parse_reference(request.image);
    const auto* file = std::get_if<FileReference>(&reference);
    if (file == nullptr && !request.signature.empty())
        throw Error{Error::Kind::usage,
                    fmt::format("{} is not a file, so --signature cannot go with it", text::quoted(request.image)),
                    "an image in the store was verified when it was fetched"};
    if (file != nullptr)
        return acquire_file(*file, request);
    if (const auto* prefix = std::get_if<model::ImageIdPrefix>(&reference))
        return acquire_id(*prefix);
    if (const auto* name = std::get_if<model::ImageName>(&reference))
        return acquire_name(*name);
    const auto& remote = std::get<RemoteReference>(reference);
    if (request.policy == PullPolicy::never)
        fail(Error::Kind::not_found, "{} is not in the local store", text::quoted(remote.text));
    throw Error{Error::Kind::unsupported,
                fmt::format("{}: this build cannot fetch {}", text::quoted(remote.text), remote.kind),
                "download the image and its signature, and give the path of the file"};
}

ImageId Acquirer::acquire_id(const model::ImageIdPrefix& prefix)
{
    const auto id = store_.find(prefix);
    if (verifier_ != nullptr && !store_.record(id).is_verified())
        throw Error{Error::Kind::untrusted,
                    fmt::format("the signature of image {} was never checked", text::quoted(id.key())),
                    unverified_hint};
    return id;
}

// Under any policy: nothing that this build can reach is newer than what the store has.
ImageId Acquirer::acquire_name(const model::ImageName& name)
{
    auto entries = store_.find(name);
    std::erase_if(entries, [&](const auto& entry) { return !suits_host(entry, name); });
    if (entries.empty())
        throw Error{Error::Kind::not_found,
                    fmt::format("cannot find aci satisfying name: {} and labels: {} in the local store",
                                text::quoted(name.name.str()), describe(name.for_host().labels)),
                    "this build fetches local files only: give the path of one"}
            .add_context(fmt::format("unable to fetch image from image name {}", text::quoted(name.name.str())));
    for (const auto& entry : entries)
        if (verifier_ == nullptr || entry.verified)
            return entry.id;
    throw Error{Error::Kind::untrusted,
                fmt::format("the signature of image {} ({}) was never checked", text::quoted(name.str()),
                            entries.front().id.key()),
                unverified_hint};
}

ImageId Acquirer::acquire_file(const FileReference& file, const Request& request)
{
    if (verifier_ == nullptr && !request.signature.empty())
        throw Error{Error::Kind::usage,
                    "--signature makes no sense while --insecure-options=image switches signatures off",
                    "leave one of them out"};
    if (file.hides_name)
        say(fmt::format("{} is a file here, which is read instead of the image of that name",
                        text::quoted(request.image)));
    return fetch_file(file.path, request);
}

ImageId Acquirer::fetch_file(const std::string& path, const Request& request)
{
    const auto archive = open_regular(path);
    const auto signature = read_signature(path, request); // before the image: without one, there is no point
    const auto stamp = stamp_of(archive.get());
    store_.tidy();
    const auto lock = store::NamedLock::take(lock_for(store_.layout(), path), [&] {
        debug(fmt::format("another process is fetching {}, waiting", text::quoted(path)));
    });
    if (lock.had_to_wait())
        if (const auto done = already_fetched(stamp))
            return *done;

    debug(fmt::format("fetching image from {}", text::quoted(path)));
    store::Import import{store_, archive.get()};
    if (stamp_of(archive.get()) != stamp)
        throw Error{Error::Kind::busy, "the file was changed while it was read", "try again when it is complete"};
    check_supported(import.manifest());
    store::Import::Facts facts{.requested = request.image, .source = "file://" + path, .source_stamp = stamp};
    if (verifier_ == nullptr) {
        facts.insecure = {"image"};
    } else {
        facts.fingerprint = verify(import, signature);
        facts.signature = signature;
    }
    import.publish(facts);
    return import.id();
}

std::string Acquirer::read_signature(const std::string& path, const Request& request) const
{
    if (verifier_ == nullptr)
        return {};
    const auto where = request.signature.empty() ? path + ".asc" : request.signature;
    try {
        return sys::read_to_end(open_regular(where).get(), largest_signature);
    } catch (const Error& error) {
        throw Error{
            Error::Kind::untrusted, error.innermost(),
            "an image needs a signature next to it, or named by --signature; --insecure-options=image does without"}
            .add_context("error opening signature file");
    }
}

std::string Acquirer::verify(const store::Import& import, const std::string& signature)
{
    const auto file = sys::make_memfd("signature");
    sys::write_all(file.get(), signature);
    const auto verified = verifier_->verify(import.manifest().name, import.archive(), file.get());
    std::string lines = "signature verified:";
    for (const auto& identity : verified.identities)
        lines += "\n  " + text::printable(identity);
    say(lines);
    return verified.fingerprint;
}

std::optional<ImageId> Acquirer::already_fetched(const std::string& stamp) const
{
    for (const auto& entry : store_.list())
        if ((verifier_ == nullptr || entry.verified) && store_.record(entry.id).source_stamp == stamp)
            return entry.id;
    return std::nullopt;
}

void Acquirer::check_supported(const model::ImageManifest& manifest)
{
    if (!manifest.dependencies.empty())
        fail(Error::Kind::unsupported, "image {} depends on other images, which this build cannot render",
             text::quoted(manifest.name.str()));
    if (!manifest.path_whitelist.empty())
        fail(Error::Kind::unsupported, "image {} has a pathWhitelist, which this build cannot apply",
             text::quoted(manifest.name.str()));
}

void Acquirer::say(const std::string& line) const
{
    if (hooks_.say)
        hooks_.say(line);
}

void Acquirer::debug(const std::string& line) const
{
    if (hooks_.debug)
        hooks_.debug(line);
}

ImageId find_in_store(const store::Store& store, const std::string& image)
{
    if (model::ImageIdPrefix::looks_like(image))
        return with_context("cannot resolve image ID", [&] { return store.find(model::ImageIdPrefix::parse(image)); });
    return with_context("cannot find image", [&] {
        const auto name = model::ImageName::parse(image);
        const auto found = store.find(name);
        if (found.empty())
            throw Error{Error::Kind::not_found,
                        fmt::format("cannot find aci satisfying name: {} and labels: {} in the local store",
                                    text::quoted(name.name.str()), describe(name.labels)),
                        "`rocket image list` shows what is in the store"};
        return found.front().id;
    });
}

} // namespace rocket::image

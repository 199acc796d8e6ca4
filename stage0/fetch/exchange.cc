// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/exchange.hh"

#include <algorithm>
#include <new>

#include "common/sys/sys.hh"
#include "stage0/fetch/meta_tags.hh"

namespace rocket::fetch
{

namespace
{

constexpr long slowest_bytes_per_second = 1024;

template <typename Value>
void set(CURL* easy, CURLoption option, Value value)
{
    if (const auto result = ::curl_easy_setopt(easy, option, value); result != CURLE_OK)
        fail(Error::Kind::system, "libcurl refuses option {}: {}", static_cast<int>(option),
             ::curl_easy_strerror(result));
}

std::string lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

struct Meaning {
    CURLcode code;
    Failure failure;
};
constexpr std::array meanings{
    Meaning{CURLE_COULDNT_RESOLVE_HOST, Failure::resolve},
    Meaning{CURLE_COULDNT_RESOLVE_PROXY, Failure::resolve},
    Meaning{CURLE_COULDNT_CONNECT, Failure::connect},
    Meaning{CURLE_PEER_FAILED_VERIFICATION, Failure::tls},
    Meaning{CURLE_SSL_CONNECT_ERROR, Failure::tls},
    Meaning{CURLE_SSL_CACERT_BADFILE, Failure::tls},
    Meaning{CURLE_OPERATION_TIMEDOUT, Failure::time},
    Meaning{CURLE_PARTIAL_FILE, Failure::cut},
    Meaning{CURLE_RECV_ERROR, Failure::cut},
    Meaning{CURLE_SEND_ERROR, Failure::cut},
    Meaning{CURLE_GOT_NOTHING, Failure::cut},
    Meaning{CURLE_HTTP2, Failure::cut},
    Meaning{CURLE_HTTP2_STREAM, Failure::cut},
    Meaning{CURLE_WEIRD_SERVER_REPLY, Failure::malformed},
    Meaning{CURLE_UNSUPPORTED_PROTOCOL, Failure::malformed},
    Meaning{CURLE_BAD_CONTENT_ENCODING, Failure::malformed},
};

Failure meaning_of(CURLcode code)
{
    const auto found = std::ranges::find(meanings, code, &Meaning::code);
    return found != meanings.end() ? found->failure : Failure::other;
}

void write_at(int fd, std::string_view bytes, std::uint64_t offset)
{
    while (!bytes.empty()) {
        const auto written =
            sys::check([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); }, "writing");
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
}

} // namespace

Exchange::Exchange(Start start, const Trust& trust, Send send)
    : start_{std::move(start)}, send_{std::move(send)}, easy_{::curl_easy_init(), ::curl_easy_cleanup},
      headers_{nullptr, ::curl_slist_free_all}
{
    if (!easy_)
        throw std::bad_alloc{};
    head_.id = start_.id;
    set_up(trust);
    set_method();
}

void Exchange::set_up(const Trust& trust)
{
    auto* easy = easy_.get();
    set(easy, CURLOPT_PRIVATE, this);
    set(easy, CURLOPT_ERRORBUFFER, complaint_.data());
    set(easy, CURLOPT_URL, start_.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "https,http");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PATH_AS_IS, 1L); // as the broker has checked it
    set(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    set(easy, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
    set(easy, CURLOPT_USERAGENT, "rocket/" ROCKET_VERSION);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_NOPROGRESS, 1L);
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    set(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(start_.connect_seconds));
    set(easy, CURLOPT_TIMEOUT, static_cast<long>(start_.total_seconds));
    set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(start_.idle_seconds));
    set(easy, CURLOPT_LOW_SPEED_LIMIT, slowest_bytes_per_second);
    set(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    set(easy, CURLOPT_SSL_VERIFYPEER, start_.verify_tls ? 1L : 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, start_.verify_tls ? 2L : 0L);
    set(easy, CURLOPT_HEADERFUNCTION, on_header);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, on_body);
    set(easy, CURLOPT_WRITEDATA, this);
    if (trust.certificates.empty() && trust.directory.empty())
        return;
    set(easy, CURLOPT_CAPATH, trust.directory.empty() ? nullptr : trust.directory.c_str());
    set(easy, CURLOPT_CAINFO, nullptr);
    // libcurl keeps no copy; the worker's Trust lives as long as it does
    curl_blob blob{.data = const_cast<char*>(trust.certificates.data()),
                   .len = trust.certificates.size(),
                   .flags = CURL_BLOB_NOCOPY};
    if (!trust.certificates.empty())
        set(easy, CURLOPT_CAINFO_BLOB, &blob);
}

void Exchange::set_method()
{
    auto* easy = easy_.get();
    if (start_.method == "HEAD") {
        set(easy, CURLOPT_NOBODY, 1L);
    } else if (start_.method == "POST") {
        set(easy, CURLOPT_POST, 1L);
        set(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(start_.body.size()));
        set(easy, CURLOPT_POSTFIELDS, start_.body.c_str());
    } else if (start_.method != "GET") {
        fail(Error::Kind::unsupported, "method {}", text::quoted(start_.method));
    }
    for (const auto& header : start_.headers) {
        auto* longer = ::curl_slist_append(headers_.get(), (header.name + ": " + header.value).c_str());
        if (longer == nullptr)
            throw std::bad_alloc{};
        static_cast<void>(headers_.release()); // it is the end of the longer one now
        headers_.reset(longer);
    }
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
}

std::size_t Exchange::refuse(Failure failure, std::string text)
{
    if (!refused_)
        refused_ = Failed{start_.id, failure, bytes_, std::move(text)};
    return 0; // fewer than there were: libcurl ends the transfer
}

std::size_t Exchange::on_header(char* data, std::size_t size, std::size_t count, void* self)
{
    return static_cast<Exchange*>(self)->take_header({data, size * count});
}

std::size_t Exchange::take_header(std::string_view line)
{
    head_bytes_ += line.size();
    if (head_bytes_ > largest_headers)
        return refuse(Failure::too_large, fmt::format("the headers are longer than {} bytes", largest_headers));
    const auto content = text::trim(line);
    if (head_sent_) // a trailer
        return line.size();
    if (content.starts_with("HTTP/") && content.find(':') == content.npos) {
        head_.headers.clear(); // of an interim response
    } else if (content.empty()) {
        long status = 0;
        ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        if (status < 200)
            return line.size();
        head_.status = static_cast<std::uint64_t>(status);
        head_sent_ = true;
        send_(head_);
    } else if (const auto colon = content.find(':'); colon != content.npos) {
        if (head_.headers.size() == 200)
            return refuse(Failure::too_large, "there are more than 200 headers");
        head_.headers.push_back(
            {lower(text::trim(content.substr(0, colon))), std::string{text::trim(content.substr(colon + 1))}});
    }
    return line.size();
}

std::size_t Exchange::on_body(char* data, std::size_t size, std::size_t count, void* self)
{
    return static_cast<Exchange*>(self)->take_body({data, size * count});
}

std::size_t Exchange::take_body(std::string_view bytes)
{
    if (!decision_)
        return CURL_WRITEFUNC_PAUSE;
    if (decision_->limit - bytes_ < bytes.size())
        return refuse(Failure::too_large, fmt::format("there are more than {} bytes of it", decision_->limit));
    try {
        if (decision_->body == Decision::Body::write)
            write_at(file_.get(), bytes, decision_->offset + bytes_);
        else if (decision_->body == Decision::Body::tags)
            page_ += bytes;
    } catch (const Error& error) {
        return refuse(Failure::write, error.innermost());
    }
    bytes_ += bytes.size();
    return bytes.size();
}

void Exchange::decide(const Decision& decision, Fd file)
{
    if (decision_)
        return;
    decision_ = decision;
    file_ = std::move(file);
    if (result_)
        report();
    else
        ::curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

void Exchange::end(CURLcode result)
{
    result_ = result;
    if (result != CURLE_OK || decision_)
        report();
}

// In the library's words, which say of a server without TLS that its version number is wrong.
std::string Exchange::complaint() const
{
    std::string text = complaint_[0] != '\0' ? complaint_.data() : ::curl_easy_strerror(*result_);
    if (*result_ == CURLE_SSL_CONNECT_ERROR && text.find("wrong version number") != text.npos)
        text = fmt::format("the server does not speak TLS; --insecure-options=http does without ({})", text);
    return text;
}

void Exchange::report()
{
    over_ = true;
    file_.reset();
    if (refused_)
        return send_(*refused_);
    if (*result_ == CURLE_OK)
        return send_(
            Done{start_.id, bytes_, decision_->body == Decision::Body::tags ? ac_tags(page_) : std::vector<Tag>{}});
    send_(Failed{start_.id, meaning_of(*result_), bytes_, complaint()});
}

} // namespace rocket::fetch

// SPDX-License-Identifier: Apache-2.0
// One request and its response, in the worker: a libcurl transfer whose body waits until the broker has decided where
// it goes. Follows no redirect, keeps no cookie, decodes nothing, reads no password file.
#pragma once

#include <curl/curl.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/sys/fd.hh"
#include "stage0/fetch/protocol.hh"

namespace rocket::fetch
{

// Whom to trust instead of the system's certificates.
struct Trust {
    std::string certificates; // PEM; empty: the system's
    std::string directory;    // hashed, readable for everybody; may be empty
};

class Exchange
{
public:
    using Send = std::function<void(const ToBroker&)>;

    Exchange(Start start, const Trust& trust, Send send);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    CURL* handle() const noexcept { return easy_.get(); }
    void decide(const Decision& decision, Fd file);
    // libcurl is done with it.
    void end(CURLcode result);
    bool is_over() const noexcept { return over_; }

private:
    void set_up(const Trust& trust);
    void set_method();
    std::size_t take_header(std::string_view line);
    std::size_t take_body(std::string_view bytes);
    std::size_t refuse(Failure failure, std::string text);
    void report();
    std::string complaint() const;
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

    Start start_;
    Send send_;
    std::unique_ptr<CURL, void (*)(CURL*)> easy_;
    std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_;
    std::array<char, CURL_ERROR_SIZE> complaint_{};
    Head head_;
    std::size_t head_bytes_ = 0;
    bool head_sent_ = false;
    std::optional<Decision> decision_;
    Fd file_;
    std::uint64_t bytes_ = 0;
    std::string page_; // a body to be searched for tags
    std::optional<CURLcode> result_;
    std::optional<Failed> refused_;
    bool over_ = false;
};

} // namespace rocket::fetch

// SPDX-License-Identifier: Apache-2.0
// Keys on their way into the keystore (cli 8.5): shown to the user, accepted or not, stored for a prefix; and found by
// discovery for an image that is about to be fetched (cli 4.8).
#pragma once

#include <functional>
#include <set>
#include <string>

#include "stage0/cli/context.hh"
#include "stage0/image/network.hh"
#include "stage0/trust/keystore.hh"

namespace rocket::cli
{

struct KeyReview {
    trust::Keystore keystore;
    std::string prefix;       // as the user wrote it; empty for all images
    trust::Scope scope;       // the same, checked
    bool skip_review = false; // accept without asking
    std::function<void(const std::string& text)> out;
};

// Each key in `content`, which came from `location`. Errors: Kind::corrupt if it is no key file; "error reviewing key"
// if there is nobody to ask.
void review_and_store(const KeyReview& review, const std::string& location, std::string content);

// A key file at a URL: at most 256 KiB, within two minutes, and no credentials.
std::string fetch_key(fetch::Client& client, const fetch::Url& url);

// Keys for an image, where nobody has trusted any for its name yet. Never fails: without a key the signature check
// will.
class KeyFinder
{
public:
    explicit KeyFinder(const Context& context) : context_{context} {}
    void find(const model::AcIdentifier& name);

private:
    bool are_known(const model::AcIdentifier& name) const;
    void offer(image::Network& network, const model::AcIdentifier& name, const fetch::Url& url) const;

    const Context& context_;
    std::set<model::AcIdentifier> done_;
};

} // namespace rocket::cli

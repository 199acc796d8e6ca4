// SPDX-License-Identifier: Apache-2.0
// appc meta discovery (appc chapter 15): from a name to where images of that name, or the keys that sign them, are, by
// what the host in the name says on its web pages. Errors: Kind::not_found, with every page that was tried.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/image_name.hh"
#include "stage0/fetch/protocol.hh"
#include "stage0/image/network.hh"

namespace rocket::image
{

struct Endpoint {
    fetch::Url image;
    fetch::Url signature;
};

// In the order in which they are to be tried; at least one.
std::vector<Endpoint> discover_images(Network& network, const model::ImageName& name);
std::vector<fetch::Url> discover_keys(Network& network, const model::AcIdentifier& name);

// --- the parts without a network
// "PREFIX REST" of a tag that applies to the name; nullopt if it does not, or is malformed (DISC-19, 20).
std::optional<std::string> applicable(const fetch::Tag& tag, std::string_view wanted, const model::AcIdentifier& name);
// The template for one kind of file; nullopt if a variable is left, or there is no {ext} (DISC-22..25).
std::optional<std::string> render_template(std::string_view text, const model::ImageName& name, std::string_view ext);
// "a/b/c" -> a/b/c, a/b, a
std::vector<std::string> pages_for(const model::AcIdentifier& name);

} // namespace rocket::image

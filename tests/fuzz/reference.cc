// SPDX-License-Identifier: Apache-2.0
// What users type for an image: ids, names with labels, files, URLs (cli 4.1, 4.2). A name is written in one way.
#include "stage0/image/reference.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using namespace rocket;
    const auto no_file = [](const std::string&) { return false; };
    const auto reference = image::parse_reference(std::string{text}, no_file);
    if (const auto* name = std::get_if<model::ImageName>(&reference))
        fuzz::promise(model::ImageName::parse(name->str()).str() == name->str());
})

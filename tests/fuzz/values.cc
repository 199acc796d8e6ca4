// SPDX-License-Identifier: Apache-2.0
// The small grammars: names, ids, versions, quantities, the object strings of the command line. The first byte chooses.
#include "common/model/image_name.hh"
#include "common/model/names.hh"
#include "common/model/quantity.hh"
#include "common/model/volume.hh"
#include "target.hh"

namespace
{

using namespace rocket;

// What it is written as is written in the same way once more.
template <typename Type>
void parse(std::string_view text)
{
    const auto written = Type::parse(text).str();
    fuzz::promise(Type::parse(written).str() == written);
}

constexpr void (*parsers[])(std::string_view) = {
    parse<model::AcIdentifier>, parse<model::AppName>, parse<model::ImageId>,   parse<model::AcVersion>,
    parse<model::Quantity>,     parse<model::PodId>,   parse<model::ImageName>,
};

} // namespace

ROCKET_FUZZ([](std::string_view text) {
    if (!text.empty())
        parsers[static_cast<unsigned char>(text.front()) % std::size(parsers)](text.substr(1));
})

// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes: an error of the right kind, or a manifest that survives being written and read (RT-4, R19).
// The seed is fixed, so a failure can be repeated; CAPTURE shows the text.
#include <array>
#include <random>

#include "common/model/image_manifest.hh"
#include "common/model/last_ditch.hh"
#include "common/model/pod_manifest.hh"
#include "support.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

class Mutator
{
public:
    std::string operator()(std::string text)
    {
        for (auto times = 1 + below(3); times > 0; --times)
            mutate(text, below(text.size()));
        return text;
    }

private:
    std::size_t below(std::size_t end) { return random_() % end; }

    void mutate(std::string& text, std::size_t at)
    {
        constexpr std::array tokens{"null",        "{}",       "[]",    "\"\"",  "-1",
                                    "1e99",        "\"name\"", "\"a\"", "true",  "\"A\"",
                                    "\"\\u0000\"", ",",        "0",     "\"/\"", "99999999999999999999"};
        const auto* token = tokens[below(tokens.size())];
        switch (below(4)) {
        case 0:
            text[at] = static_cast<char>(below(256));
            break;
        case 1:
            text.erase(at, below(8));
            break;
        case 2:
            text.insert(at, token);
            break;
        default: // a value, up to what ends it
            const auto begin = text.find_first_of("\"0123456789tf[{", at);
            const auto end = begin == std::string::npos ? begin : text.find_first_of(",]}", begin);
            if (end != std::string::npos)
                text.replace(begin, end - begin, token);
        }
    }

    std::mt19937 random_{7};
};

template <typename Manifest>
bool survives(const std::string& text)
{
    try {
        const auto manifest = Manifest::parse(text);
        const auto written = manifest.write();
        const auto again = Manifest::parse(written);
        CHECK(again == manifest);
        CHECK(again.write() == written);
        return true;
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::corrupt);
        return false;
    }
}

} // namespace

TEST_CASE("manifests: mutated ones are refused or survive a round trip")
{
    Mutator mutated;
    const auto image = data_file("image-full.json"), unknown = data_file("image-unknown.json");
    const auto pod = data_file("pod-full.json");
    int valid = 0;
    for (int i = 0; i < 1500; ++i) {
        for (const auto& text : {mutated(image), mutated(unknown)}) {
            CAPTURE(text);
            valid += survives<ImageManifest>(text) ? 1 : 0;
        }
        const auto text = mutated(pod);
        CAPTURE(text);
        valid += survives<PodManifest>(text) ? 1 : 0;
        try {
            last_ditch_pod(text);
        } catch (const Error& error) {
            CHECK(error.kind() == Error::Kind::corrupt);
        }
    }
    CHECK(valid > 100); // else the mutations prove nothing about round trips
    CHECK(valid < 4400);
}

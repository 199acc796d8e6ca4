// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/metadata/answer.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::metadata;

namespace
{

const std::string image_id = "sha512-" + std::string(64, 'a');

class OnePod
{
public:
    OnePod()
    {
        file::write_new(scratch_.fd(), "pod",
                        R"({"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"web","image":{"id":")" +
                            image_id +
                            R"("},"annotations":[{"name":"b","value":"pod"},{"name":"c","value":"new"}]}],)"
                            R"("annotations":[{"name":"example.com/x","value":"1"}]})");
    }

    Response ask(const std::string& method, const std::string& path,
                 Form form = std::map<std::string, std::string>{}) const
    {
        return answer({method, path, std::move(form)}, {id, scratch_.fd(), [this](const auto&) { return manifest; }},
                      keys);
    }
    Response get(const std::string& path) const { return ask("GET", path); }

    const std::string manifest =
        R"({"acKind":"ImageManifest",  "acVersion":"0.8.11","name":"example.com/web","labels":[{"name":"os","value":"linux"},)"
        R"({"name":"arch","value":"amd64"}],"annotations":[{"name":"a","value":"image"},{"name":"b","value":"image"}]})";
    const model::PodId id = model::PodId::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    const Keys keys{std::array<std::uint8_t, Keys::size>{}};

private:
    Scratch scratch_;
};

} // namespace

TEST_CASE("metadata: what a pod is told of itself (MDS-7..12, MDS-15)")
{
    const OnePod pod;
    CHECK(pod.get("/pod/uuid").body == pod.id.str());
    CHECK_FALSE(pod.get("/pod/uuid").is_json);
    CHECK(pod.get("/pod/annotations").body == R"([{"name":"example.com/x","value":"1"}])");
    CHECK(pod.get("/pod/annotations").is_json);
    CHECK(pod.get("/pod/annotations/example.com/x").body == "1");
    CHECK(pod.get("/pod/manifest").body.find("PodManifest") != std::string::npos);
    CHECK(pod.get("/apps/web/image/manifest").body == pod.manifest); // every byte (RT-1)
    CHECK(pod.get("/apps/web/image/id").body == image_id);
    CHECK(pod.get("/apps/web/annotations").body ==
          R"([{"name":"a","value":"image"},{"name":"b","value":"pod"},{"name":"c","value":"new"}])");
    CHECK(pod.get("/apps/web/annotations/b").body == "pod");
    CHECK(pod.ask("HEAD", "/pod/uuid").status == 200);
}

TEST_CASE("metadata: what is not there, and wrong methods (MDS-19)")
{
    const OnePod pod;
    for (const char* path : {"", "/", "/pod", "/pod/", "/pod/uuid/", "/pod/annotations/none", "/apps/none/image/id",
                             "/apps//image/id", "/apps/web", "/apps/../web/image/id", "/apps/web/image/id/more"}) {
        CAPTURE(path);
        CHECK(pod.get(path).status == 404);
    }
    CHECK(pod.ask("POST", "/pod/uuid").status == 405);
    CHECK(pod.ask("DELETE", "/pod/manifest").allow == "GET, HEAD");
    CHECK(pod.get("/pod/hmac/sign").allow == "POST");
    CHECK(pod.ask("HEAD", "/pod/hmac/sign").status == 405);
}

TEST_CASE("metadata: signatures (MDS-13, MDS-14, MDS-16, MDS-18)")
{
    const OnePod pod;
    const auto post = [&](const char* what, std::map<std::string, std::string> form) {
        return pod.ask("POST", std::string{"/pod/hmac/"} + what, std::move(form));
    };
    const auto signature = post("sign", {{"content", "x"}}).body;
    CHECK(signature.size() == 88);
    const auto uuid = pod.id.str();
    CHECK(post("verify", {{"content", "x"}, {"uuid", uuid}, {"signature", signature}}).status == 200);
    CHECK(post("verify", {{"content", "y"}, {"uuid", uuid}, {"signature", signature}}).status == 403);
    CHECK(post("verify", {{"content", "x"}, {"uuid", uuid}, {"signature", "!"}}).status == 403);
    CHECK(post("verify", {{"content", "x"}, {"uuid", "none"}, {"signature", signature}}).status == 400);
    CHECK(post("verify", {{"content", "x"}, {"uuid", uuid}}).status == 400);
    CHECK(post("sign", {{"content", ""}}).status == 400);
    CHECK(pod.ask("POST", "/pod/hmac/sign", std::nullopt).status == 400);
}

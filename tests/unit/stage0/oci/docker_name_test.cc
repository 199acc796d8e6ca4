// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/docker_name.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::oci;

TEST_CASE("docker references: what they mean (OREF-2..4)")
{
    struct Row {
        const char* text;
        const char* meaning;
    };
    const auto digest = "sha256:" + std::string(64, 'a');
    for (const auto& [text, meaning] : {
             Row{"busybox", "registry-1.docker.io/library/busybox:latest"},
             Row{"busybox:1.36", "registry-1.docker.io/library/busybox:1.36"},
             Row{"user/app", "registry-1.docker.io/user/app:latest"},
             Row{"localhost/app", "localhost/app:latest"},
             Row{"localhost:5000/app:x", "localhost:5000/app:x"},
             Row{"[::1]:5000/app", "[::1]:5000/app:latest"},
             Row{"index.docker.io/library/busybox", "registry-1.docker.io/library/busybox:latest"},
             Row{"docker.io/busybox", "registry-1.docker.io/library/busybox:latest"},
             Row{"MyHost/app", "MyHost/app:latest"},
             Row{"example.com/a-b/c__d/e.f:T_a.g-1", "example.com/a-b/c__d/e.f:T_a.g-1"},
         }) {
        const std::string_view shown = text;
        CAPTURE(shown);
        CHECK(DockerName::parse(text).str() == meaning);
    }
    CHECK(DockerName::parse("example.com/a/b:tag@" + digest).str() == "example.com/a/b@" + digest);
    CHECK(DockerName::parse("example.com/a/b@" + digest).version() == "sha256-" + std::string(64, 'a'));
}

TEST_CASE("docker references: what is none (OREF-1, OREF-5, OREF-6)")
{
    for (const auto& text :
         {std::string{}, std::string{"user/App"}, std::string{"a..b"}, std::string{"-a"}, std::string{"a/"},
          std::string{"a:"}, std::string{"a@sha256:12"}, std::string(64, 'a'), std::string{"a___b"},
          std::string{"a.-b"}, std::string{"ex ample.com/a"}, std::string{"h:port/a"}, std::string{"h:99999/a"},
          "a:" + std::string(129, 't'), std::string(256, 'n'), "a@blake3:" + std::string(64, 'a'),
          std::string{"https://example.com/a"}, std::string{"bob:secret@example.com/a"}}) {
        CAPTURE(text);
        CHECK_THROWS_AS(DockerName::parse(text), Error);
    }
    try {
        DockerName::parse("bob:secret@example.com/a");
    } catch (const Error& error) {
        CHECK(std::string_view{error.what()}.find("secret") == std::string_view::npos);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "stage1/security_labels.hh"

#include <doctest/doctest.h>

#include "common/model/json.hh"
#include "stage1/pod_facts.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

std::string profile(const std::string& name)
{
    return R"({"name":"os/linux/apparmor-profile","value":{"profile":")" + name + "\"}}";
}

std::string context(const std::string& type)
{
    return R"({"name":"os/linux/selinux-context","value":{"user":"u","role":"r","type":")" + type +
           R"(","level":"s0:c1"}})";
}

model::PodManifest pod(const std::string& of_pod, const std::string& of_app)
{
    return model::PodManifest::parse(R"({"acVersion":"0.8.11","acKind":"PodManifest","isolators":[)" + of_pod +
                                     R"(],"apps":[{"name":"a","image":{"id":"sha512-)" + std::string(128, '0') +
                                     R"("},"app":{"exec":["/a"],"user":"0","group":"0","isolators":[)" + of_app +
                                     "]}}]}");
}

} // namespace

TEST_CASE("security labels: an app's own, else the pod's (AAR-1, SEL-1)")
{
    PodFacts facts;
    facts.has_apparmor = facts.has_selinux = true;
    std::vector<std::string> reports;
    const auto labels = [&](const std::string& of_pod, const std::string& of_app) {
        const auto manifest = pod(of_pod, of_app);
        return labels_of(manifest.apps[0].app->isolators, manifest.isolators, facts, reports);
    };
    CHECK(labels("", "") == SecurityLabels{});
    CHECK(labels(profile("of-pod"), "") == SecurityLabels{"of-pod", ""});
    CHECK(labels(profile("of-pod"), profile("of-app")) == SecurityLabels{"of-app", ""});
    CHECK(labels(context("t"), profile("of-app")) == SecurityLabels{"of-app", "u:r:t:s0:c1"});
    CHECK(labels(context("t"), context("x")) == SecurityLabels{"", "u:r:x:s0:c1"});
    CHECK(reports.empty());
}

TEST_CASE("security labels: what the host has no module for is reported (ISO-5)")
{
    const auto manifest = pod(context("t"), profile("p"));
    std::vector<std::string> reports;
    CHECK(labels_of(manifest.apps[0].app->isolators, manifest.isolators, {}, reports) == SecurityLabels{});
    CHECK(reports.size() == 2);
    CHECK_NOTHROW(check_labels(manifest, {}));
}

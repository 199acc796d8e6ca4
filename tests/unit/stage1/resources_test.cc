// SPDX-License-Identifier: Apache-2.0
#include "stage1/resources.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

PodFacts able_facts()
{
    PodFacts facts;
    facts.controllers = {"cpu", "memory", "pids"};
    return facts;
}

model::Isolators isolators(std::string_view text)
{
    const auto value = model::json::parse(text, "isolators");
    return model::Isolators::from(model::json::Cursor{value, "isolators"}.items());
}

std::string resource(const std::string& name, const std::string& value)
{
    return R"([{"name":"resource/)" + name + R"(","value":{)" + value + "}}]";
}

} // namespace

TEST_CASE("resources: isolators as limits of a cgroup (RES-1, RES-3)")
{
    using Number = std::optional<std::uint64_t>;
    struct {
        const char* name;
        const char* value;
        Number memory_max, memory_low, cpu_quota, cpu_weight;
        std::size_t reports;
    } const rows[] = {
        {"memory", R"("limit":"1G")", 1000000000, {}, {}, {}, 0},
        {"memory", R"("limit":"64Mi","request":"32Mi")", 67108864, 33554432, {}, {}, 0},
        {"memory", R"("limit":"32Mi","request":"64Mi")", 33554432, {}, {}, {}, 1}, // lowered
        {"memory", R"("request":"64Mi")", {}, 67108864, {}, {}, 0},
        {"memory", "", {}, {}, {}, {}, 0},
        {"cpu", R"("limit":"500m","request":"250m")", {}, {}, 500000, 10, 0},
        {"cpu", R"("limit":1)", {}, {}, 1000000, 39, 0}, // the request is the limit
        {"cpu", R"("request":"1")", {}, {}, {}, 39, 0},
        {"cpu", R"("limit":"9E")", {}, {}, 1000000000000, 10000, 0},
        {"cpu", R"("request":"1n")", {}, {}, {}, 1, 0},
    };
    for (const auto& row : rows) {
        CAPTURE(std::string{row.value});
        std::vector<std::string> reports;
        const auto limits = app_resources(isolators(resource(row.name, row.value)), able_facts(), reports);
        CHECK(limits.memory_max == row.memory_max);
        CHECK(limits.memory_low == row.memory_low);
        CHECK(limits.cpu_quota_usec == row.cpu_quota);
        CHECK(limits.cpu_weight == row.cpu_weight);
        CHECK(limits.tasks_max == 4096);
        CHECK(reports.size() == row.reports);
    }
}

TEST_CASE("resources: what cannot be enforced is reported (RES-6), a limit of zero refused (QTY-8)")
{
    std::vector<std::string> reports;
    const auto none = app_resources(isolators(resource("memory", R"("limit":"1G")")), {}, reports);
    CHECK_FALSE(none.memory_max);
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].find("no memory controller") != std::string::npos);
    for (const char* name : {"memory", "cpu"})
        CHECK_THROWS_AS(app_resources(isolators(resource(name, R"("limit":"0")")), able_facts(), reports), Error);
    reports.clear();
    app_resources(isolators(resource("block-iops", R"("limit":"5","default":true)")), {}, reports);
    CHECK(reports ==
          std::vector<std::string>{"resource/block-iops is not enforced: the pod's cgroup has no io controller"});
    CHECK_THROWS_AS(
        app_resources(isolators(resource("network-bandwidth", R"("limit":"5","default":true)")), able_facts(), reports),
        Error); // neither enforced nor ignored
}

TEST_CASE("resources: limits of block devices are per device (RES-3, F8)")
{
    std::vector<std::string> reports;
    auto facts = able_facts();
    facts.controllers = {"io"};
    facts.disks = {"8:0", "254:0"};
    auto limits =
        app_resources(isolators(resource("block-bandwidth", R"("limit":"2M","default":true)")), facts, reports);
    CHECK(reports.empty());
    CHECK(io_max_lines(limits) ==
          std::vector<std::string>{"8:0 rbps=2000000 wbps=2000000", "254:0 rbps=2000000 wbps=2000000"});
    limits.block_iops = 20;
    CHECK(io_max_lines(limits).back() == "254:0 riops=20 wiops=20");
    CHECK(io_max_lines({}).empty());
}

TEST_CASE("resources: cpu shares as weight, before the request (SHR-1)")
{
    CHECK(weight_of_shares(2) == 1);
    CHECK(weight_of_shares(1024) == 39);
    CHECK(weight_of_shares(262144) == 10000);
    std::vector<std::string> reports;
    const auto both = isolators(R"([{"name":"resource/cpu","value":{"request":"8"}},
                                    {"name":"os/linux/cpu-shares","value":1024}])");
    CHECK(app_resources(both, able_facts(), reports).cpu_weight == 39U);
}

TEST_CASE("resources: oom score only as far down as the host allows (OOM-1)")
{
    std::vector<std::string> reports;
    const auto lower = isolators(R"([{"name":"os/linux/oom-score-adj","value":-500}])");
    auto facts = able_facts();
    CHECK(oom_score_adjust(lower, facts, reports) == -500);
    CHECK(reports.empty());
    facts.lowest_oom_score = 0;
    CHECK_FALSE(oom_score_adjust(lower, facts, reports));
    CHECK(reports.size() == 1);
    CHECK_FALSE(oom_score_adjust({}, facts, reports));
}

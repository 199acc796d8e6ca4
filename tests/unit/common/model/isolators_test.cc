// SPDX-License-Identifier: Apache-2.0
#include "common/model/isolators.hh"

#include "support.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

Isolators isolators_of(std::string_view text)
{
    const auto value = json::parse(text, "test");
    return Isolators::from(json::Cursor{value, "app.isolators"}.items());
}

Isolators one(std::string_view name, std::string_view value)
{
    return isolators_of(fmt::format(R"([{{"name":"{}","value":{}}}])", name, value));
}

} // namespace

TEST_CASE("isolators: each standard one in its minimal form")
{
    const auto all = json::parse(data_file("isolators-all.json"), "isolators-all.json");
    for (const auto& item : *all.array()) { // one by one: some of them exclude each other
        CAPTURE(json::write(item));
        const json::Value list{json::Array{item}};
        const auto isolators = Isolators::from(json::Cursor{list, "x"}.items());
        CHECK(to_json(isolators) == list);
        CHECK(isolators.unknown_names().empty());
    }
    CHECK(all.array()->size() == 15);
}

TEST_CASE("isolators: typed accessors")
{
    const auto isolators = isolators_of(
        R"([{"name":"resource/memory","value":{"request":"1Ki","limit":"1M"}},
            {"name":"resource/memory","value":{"limit":" 2Ki "}},
            {"name":"resource/cpu","value":{"request":0.3,"limit":"1.5"}},
            {"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_KILL","CAP_PONIES"]}},
            {"name":"os/linux/seccomp-remove-set","value":{"set":["reboot"],"errno":"EPERM"}},
            {"name":"os/linux/no-new-privileges","value":true},
            {"name":"os/linux/cpu-shares","value":512},
            {"name":"os/linux/oom-score-adj","value":-250},
            {"name":"os/linux/selinux-context","value":{"user":"u","role":"r","type":"t","level":"s0-s0:c0"}},
            {"name":"os/linux/apparmor-profile","value":{"profile":"p"}},
            {"name":"os/unix/sysctl","value":{"net.core.somaxconn":"1024"}}])");
    const auto memory = isolators.memory();
    CHECK_FALSE(memory->request); // the last one counts, as a whole
    CHECK(memory->limit->ceil_units() == 2048);
    CHECK(isolators.cpu()->request->ceil_milli() == 300);
    CHECK(isolators.capabilities()->mode == CapabilitySet::Mode::retain);
    CHECK(isolators.capabilities()->names == std::vector<std::string>{"CAP_KILL", "CAP_PONIES"});
    CHECK(isolators.seccomp()->mode == SeccompSet::Mode::remove);
    CHECK(isolators.seccomp()->errno_name == "EPERM");
    CHECK(isolators.no_new_privileges());
    CHECK(isolators.cpu_shares() == 512U);
    CHECK(isolators.oom_score_adj() == -250);
    CHECK(isolators.selinux_context()->str() == "u:r:t:s0-s0:c0");
    CHECK(isolators.apparmor_profile() == "p");
    CHECK(isolators.sysctls().at("net.core.somaxconn") == "1024");
    CHECK(isolators.out_of_scope(Scope::app) == std::vector<std::string>{"os/unix/sysctl"});
    CHECK(isolators.out_of_scope(Scope::pod).size() == 5);

    const Isolators none;
    CHECK_FALSE(none.memory());
    CHECK_FALSE(none.capabilities());
    CHECK_FALSE(none.no_new_privileges());
    CHECK(none.sysctls().empty());
}

TEST_CASE("isolators: bad values of known ones (chapter 21)")
{
    struct Case {
        const char *name, *value, *words;
    };
    const Case cases[] = {
        {"os/linux/cpu-shares", "1", "must be an integer from 2 to 262144"},
        {"os/linux/cpu-shares", "262145", "must be an integer from 2 to 262144"},
        {"os/linux/cpu-shares", "\"pants\"", "must be an integer"},
        {"os/linux/cpu-shares", "1024.0", "must be an integer"},
        {"os/linux/oom-score-adj", "-2500", "must be an integer from -1000 to 1000"},
        {"os/linux/no-new-privileges", "123", "must be true or false"},
        {"os/linux/no-new-privileges", "\"foo\"", "must be true or false"},
        {"os/linux/no-new-privileges", "{}", "must be true or false"},
        {"os/linux/capabilities-retain-set", R"({"set":[]})", ".set is empty"},
        {"os/linux/capabilities-remove-set", R"({"set":"CAP_KILL"})", "must be a list"},
        {"os/linux/capabilities-remove-set", "{}", "has no \"set\""},
        {"os/linux/capabilities-retain-set", R"({"set":[1]})", ".set[0] must be a string"},
        {"os/linux/seccomp-retain-set", R"({"set":[]})", ".set is empty"},
        {"os/linux/seccomp-remove-set", R"({"set":["a"],"errno":"-EPERM"})", "must be the name of an errno"},
        {"os/linux/seccomp-remove-set", R"({"set":["a"],"errno":"eaccess"})", "must be the name of an errno"},
        {"os/linux/seccomp-remove-set", R"({"set":["a"],"errno":"ENO_X"})", "must be the name of an errno"},
        {"os/linux/seccomp-remove-set", R"({"set":["a"],"errno":1})", ".errno must be a string"},
        {"resource/block-bandwidth", R"({"limit":"1M"})", "\"default\" must be true"},
        {"resource/block-iops", R"({"default":false,"limit":"1"})", "\"default\" must be true"},
        {"resource/network-bandwidth", R"({"default":true,"request":"1","limit":"1"})", "\"request\" is not allowed"},
        {"resource/memory", R"({"default":true,"limit":"1G"})", "\"default\" is not allowed"},
        {"resource/memory", R"({"limit":"-1"})", "cannot be negative"},
        {"resource/memory", R"({"limit":-1})", "cannot be negative"},
        {"resource/memory", R"({"limit":true})", ".limit must be a string"},
        {"resource/memory", R"({"limit":"1 G"})", "is not a valid quantity"},
        {"resource/cpu", "\"1\"", "must be an object"},
        {"os/linux/selinux-context", R"({"user":"","role":"r","type":"t","level":"l"})", ".user is empty"},
        {"os/linux/selinux-context", R"({"user":"u","role":"r:s","type":"t","level":"l"})", ".role contains a colon"},
        {"os/linux/selinux-context", R"({"user":"u","role":"r","type":"t"})", "has no \"level\""},
        {"os/linux/apparmor-profile", R"({"profile":""})", ".profile is empty"},
        {"os/unix/sysctl", R"({"a":1})", "must be a string, not a number"},
        {"os/linux/cpu-shares", "null", "has no \"value\""},
    };
    for (const auto& row : cases) {
        const auto* name = row.name;
        const auto* value = row.value;
        const auto* words = row.words;
        CAPTURE(name);
        CAPTURE(value);
        check_refused([&] { one(name, value); }, words);
    }
    check_refused([] { isolators_of(R"([{"name":"os/unix/sysctl"}])"); },
                  "app.isolators[0] (os/unix/sysctl) has no \"value\"");
    check_refused([] { isolators_of(R"([{"value":1}])"); }, "app.isolators[0] has no \"name\"");
    check_refused([] { one("Foo", "1"); }, "app.isolators[0].name: \"Foo\" is not a valid name");
}

TEST_CASE("isolators: values on the border")
{
    CHECK(one("os/linux/cpu-shares", "2").cpu_shares() == 2U);
    CHECK(one("os/linux/cpu-shares", "262144").cpu_shares() == 262144U);
    CHECK(one("os/linux/oom-score-adj", "-1000").oom_score_adj() == -1000);
    CHECK(one("os/linux/seccomp-remove-set", R"({"set":["a"],"errno":""})").seccomp()->errno_name.empty());
    CHECK(one("os/linux/seccomp-remove-set", R"({"set":["a"],"errno":"E"})").seccomp()->errno_name == "E");
    CHECK(one("os/unix/sysctl", "{}").sysctls().empty());
    CHECK_FALSE(one("resource/cpu", "{}").cpu()->limit);
}

TEST_CASE("isolators: how many, and which not together (ISO-8)")
{
    const auto list = [](const char* a, const char* b) { return fmt::format("[{},{}]", a, b); };
    const char* retain = R"({"name":"os/linux/seccomp-retain-set","value":{"set":["read"]}})";
    const char* remove = R"({"name":"os/linux/seccomp-remove-set","value":{"set":["read"]}})";
    const char* keep = R"({"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_KILL"]}})";
    const char* drop = R"({"name":"os/linux/capabilities-remove-set","value":{"set":["CAP_KILL"]}})";
    const char* shares = R"({"name":"os/linux/cpu-shares","value":2})";
    check_refused([&] { isolators_of(list(retain, remove)); },
                  "app.isolators[1]: isolators os/linux/seccomp-retain-set "
                  "and os/linux/seccomp-remove-set exclude each other");
    check_refused([&] { isolators_of(list(retain, retain)); }, "isolator os/linux/seccomp-retain-set is given twice");
    check_refused([&] { isolators_of(list(drop, keep)); }, "exclude each other");
    check_refused([&] { isolators_of(list(shares, shares)); }, "is given twice");
    CHECK_NOTHROW(isolators_of(list(keep, keep)));
}

TEST_CASE("isolators: unknown ones are carried, in every detail (ISO-4, RT-3)")
{
    const std::string text =
        R"([{"name":"example.com/x","value":{"b":1.0,"a":[" 1k ",null]},"more":true},{"name":"example.com/n","value":null}])";
    const auto isolators = isolators_of(text);
    CHECK(isolators.unknown_names() == std::vector<std::string>{"example.com/x", "example.com/n"});
    CHECK(json::write(to_json(isolators)) == text);
}

TEST_CASE("isolators: replacing takes the twin along (ISO-9)")
{
    auto isolators = isolators_of(R"([{"name":"os/linux/seccomp-retain-set","value":{"set":["read"]}},
                                      {"name":"resource/cpu","value":{"limit":"1"}}])");
    isolators.replace(seccomp_isolator({SeccompSet::Mode::remove, {"reboot"}, "EPERM"}));
    CHECK(json::write(to_json(isolators)) ==
          R"([{"name":"resource/cpu","value":{"limit":"1"}},)"
          R"({"name":"os/linux/seccomp-remove-set","value":{"set":["reboot"],"errno":"EPERM"}}])");
    isolators.replace(cpu_isolator(Quantity::parse("500m")));
    isolators.append(cpu_isolator(Quantity::parse("250m")));
    CHECK(isolators.cpu()->limit->ceil_milli() == 250);
    check_refused(
        [&] {
            isolators.append(seccomp_isolator({SeccompSet::Mode::retain, {"read"}, ""}));
        },
        "exclude each other", Error::Kind::usage);
}

TEST_CASE("isolators: made from what the command line says (cli 7.2)")
{
    const auto text = [](const Isolator& isolator) { return json::write(isolator.value); };
    CHECK(text(memory_isolator(Quantity::parse("1024Mi"))) == R"({"request":"1Gi","limit":"1Gi"})");
    CHECK(text(capabilities_isolator({CapabilitySet::Mode::retain, {"CAP_KILL"}})) == R"({"set":["CAP_KILL"]})");
    CHECK(text(cpu_shares_isolator(1024)) == "1024");
    CHECK(text(oom_score_adj_isolator(-5)) == "-5");
    CHECK(text(no_new_privileges_isolator(true)) == "true");
    CHECK_THROWS_AS(cpu_shares_isolator(1), Error);
    CHECK_THROWS_AS(oom_score_adj_isolator(1001), Error);
    CHECK_THROWS_AS(capabilities_isolator({CapabilitySet::Mode::remove, {}}), Error);
}

TEST_CASE("seccomp strings: in any order (cli 7.2)")
{
    const auto seccomp = SeccompSet::parse("read,mode=retain,@docker/default-whitelist,errno=EPERM");
    CHECK(seccomp.mode == SeccompSet::Mode::retain);
    CHECK(seccomp.calls == std::vector<std::string>{"read", "@docker/default-whitelist"});
    CHECK(seccomp.errno_name == "EPERM");
    for (const char* bad : {"read", "mode=foo,read", "mode=retain,mode=remove,read", "mode="})
        check_refused([&] { SeccompSet::parse(bad); }, "invalid seccomp mode command-line override",
                      Error::Kind::usage);
    for (const char* bad : {"mode=retain,foo=bar,read", "mode=retain,errno=EPERM,errno=EIO,read"})
        check_refused([&] { SeccompSet::parse(bad); }, "invalid seccomp command-line override", Error::Kind::usage);
}

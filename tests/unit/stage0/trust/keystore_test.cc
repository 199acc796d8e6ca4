// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/keystore.hh"

#include <sys/stat.h>

#include <doctest/doctest.h>

#include "common/sys/file.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using model::AcIdentifier;
using trust::Fingerprint;
using trust::Keystore;

namespace
{

std::string fingerprint(char digit)
{
    return std::string(40, digit);
}

// Key files below "system" and "local"; put("system/root.d", 'a', "content")
struct Store {
    void put(const std::string& where, const std::string& name, const std::string& content)
    {
        const auto slash = where.find('/');
        const auto directory = where.substr(0, slash) + "/trustedkeys" + where.substr(slash);
        std::filesystem::create_directories(scratch.path() + "/" + directory);
        file::write_atomic(sys::open(scratch.fd(), directory, O_RDONLY | O_DIRECTORY).get(), name, content);
    }
    Keystore keystore() const { return {scratch.path() + "/system", scratch.path() + "/local"}; }
    // "a=content b=content", in the order of fingerprints
    std::string keys_for(const std::string& image) const
    {
        std::string shown;
        const auto name = image.empty() ? trust::Scope{} : AcIdentifier::parse(image);
        for (const auto& key : keystore().keys_for(name).keys)
            shown += (shown.empty() ? "" : " ") + key.fingerprint.str().substr(0, 1) + "=" + key.content;
        return shown;
    }

    Scratch scratch;
};

} // namespace

TEST_CASE("fingerprint: forty lower-case hex digits, and how people read it")
{
    for (const std::string bad :
         {"", "abc", "E294B4BB177A3EE7256A574EA8C8E8A4FDD161D4", "e294b4bb177a3ee7256a574ea8c8e8a4fdd161d",
          "../..b4bb177a3ee7256a574ea8c8e8a4fdd161d4"}) {
        CAPTURE(bad);
        CHECK_FALSE(Fingerprint::parse(bad));
    }
    CHECK(Fingerprint::parse("e294b4bb177a3ee7256a574ea8c8e8a4fdd161d4")->grouped() ==
          "E294 B4BB 177A 3EE7 256A  574E A8C8 E8A4 FDD1 61D4");
}

TEST_CASE("keystore: prefixes are whole components (Q54)")
{
    CHECK(trust::prefixes_of(AcIdentifier::parse("example.com/foo/bar")) ==
          std::vector<std::string>{"example.com", "example.com/foo", "example.com/foo/bar"});
    CHECK(trust::prefixes_of(AcIdentifier::parse("a")) == std::vector<std::string>{"a"});

    Store store;
    store.put("local/prefix.d/example.com/foo", fingerprint('a'), "A");
    for (const char* yes : {"example.com/foo", "example.com/foo/bar", "example.com/foo/bar/x"})
        CHECK(store.keys_for(yes) == "a=A");
    for (const char* no : {"example.com/foobar", "example.com", "example.com/fo", "foo", "x/example.com/foo", ""})
        CHECK(store.keys_for(no) == "");
}

TEST_CASE("keystore: later sources win, and an empty file masks what came before (cli 3.7)")
{
    Store store;
    store.put("system/root.d", fingerprint('a'), "system root");
    CHECK(store.keys_for("x") == "a=system root");
    CHECK(store.keys_for("") == "a=system root");
    store.put("local/root.d", fingerprint('a'), "local root");
    CHECK(store.keys_for("x") == "a=local root");
    store.put("system/prefix.d/x", fingerprint('a'), "system prefix");
    CHECK(store.keys_for("x/y") == "a=system prefix");
    store.put("local/prefix.d/x", fingerprint('a'), "local prefix");
    CHECK(store.keys_for("x/y") == "a=local prefix");
    CHECK(store.keys_for("z") == "a=local root");

    store.put("local/prefix.d/x", fingerprint('a'), "");
    CHECK(store.keys_for("x/y") == "");
    CHECK(store.keys_for("z") == "a=local root");
    store.put("local/prefix.d/x/y", fingerprint('a'), "deeper");
    CHECK(store.keys_for("x/y") == "a=deeper");
    CHECK(store.keys_for("x") == "");
    store.put("local/root.d", fingerprint('a'), "");
    CHECK(store.keys_for("z") == "");
    store.put("system/root.d", fingerprint('b'), "B");
    CHECK(store.keys_for("z") == "b=B");
}

TEST_CASE("keystore: a file that cannot be used takes away its own key, wherever that is, and no other")
{
    Store store;
    store.put("system/root.d", fingerprint('a'), "A");
    store.put("system/root.d", fingerprint('b'), "B");
    store.put("local/root.d", "README", "not a key");
    store.put("local/root.d", fingerprint('C'), "upper case");
    store.put("local/root.d", ".hidden", "being written");
    const auto root = store.scratch.path() + "/local/trustedkeys/root.d/";
    REQUIRE(::mkfifo((root + fingerprint('a')).c_str(), 0644) == 0); // nobody waits for it
    CHECK(store.keys_for("x") == "b=B");
    const auto warnings = store.keystore().keys_for(std::nullopt).warnings;
    REQUIRE(warnings.size() == 3);
    CHECK(warnings[0].find(fingerprint('C')) != std::string::npos);
    CHECK(warnings[1].find("README") != std::string::npos);
    CHECK(warnings[2].find(fingerprint('a')) != std::string::npos);

    store.put("local/root.d", fingerprint('b'), std::string(300000, 'x'));
    CHECK(store.keys_for("x") == "");
    sys::make_symlink("/dev/null", AT_FDCWD, root + fingerprint('d')); // as people mask units
    store.put("system/root.d", fingerprint('d'), "D");
    CHECK(store.keys_for("x") == "");
}

TEST_CASE("keystore: added keys have exact modes whatever the umask, and replace what was there")
{
    Store store;
    const auto old_mask = ::umask(077);
    const auto key = *Fingerprint::parse(fingerprint('a'));
    const auto path = store.keystore().add(AcIdentifier::parse("x/y"), key, "one");
    const auto root = store.keystore().add(std::nullopt, key, "root");
    store.keystore().add(AcIdentifier::parse("x/y"), key, "two");
    ::umask(old_mask);
    CHECK(path == store.scratch.path() + "/local/trustedkeys/prefix.d/x/y/" + fingerprint('a'));
    CHECK(root == store.scratch.path() + "/local/trustedkeys/root.d/" + fingerprint('a'));
    CHECK(store.keys_for("x/y") == "a=two");
    CHECK((sys::stat_at(AT_FDCWD, path).st_mode & 07777) == 0644);
    for (const char* directory :
         {"trustedkeys", "trustedkeys/prefix.d", "trustedkeys/prefix.d/x", "trustedkeys/prefix.d/x/y"})
        CHECK((sys::stat_at(AT_FDCWD, store.scratch.path() + "/local/" + directory).st_mode & 07777) == 0755);
}

TEST_CASE("keystore: what a group of administrators may write in, stays so further down (cli 1.6)")
{
    Store store;
    sys::make_dir(store.scratch.fd(), "local", 0755);
    REQUIRE(::chmod((store.scratch.path() + "/local").c_str(), 02775) == 0);
    store.keystore().add(AcIdentifier::parse("x"), *Fingerprint::parse(fingerprint('a')), "A");
    CHECK((sys::stat_at(store.scratch.fd(), "local/trustedkeys/prefix.d/x").st_mode & 07777) == 02775);
}

// SPDX-License-Identifier: Apache-2.0
// A data directory with images that were put there by hand: enough for everything that does not unpack.
#pragma once

#include "common/sys/file.hh"
#include "scratch.hh"
#include "stage0/store/store.hh"

class FakeStore
{
public:
    FakeStore() { rocket::store::Store{layout}.tidy(); }

    rocket::model::ImageId add(char digit, const std::string& name, const std::string& version = "1",
                               std::int64_t imported = 1, bool verified = true)
    {
        const auto id = rocket::model::ImageId::parse("sha512-" + std::string(127, digit) + "0");
        const auto path = layout.image(id);
        rocket::sys::make_dir(AT_FDCWD, path, 0750);
        const auto dir = rocket::sys::open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
        rocket::store::Record record{.id = id, .requested = name, .source = "file:///x", .archive_bytes = 3};
        record.imported_ns = imported;
        record.tree_digest = std::string(64, '0');
        if (verified)
            record.fingerprint = std::string(40, 'a');
        rocket::file::write_new(dir.get(), "archive", "aci");
        rocket::file::write_new(dir.get(), "manifest",
                                fmt::format(R"({{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{}",)"
                                            R"("labels":[{{"name":"version","value":"{}"}}]}})",
                                            name, version));
        rocket::file::write_new(dir.get(), "record.json", record.write());
        rocket::file::write_new(dir.get(), "used", "");
        return id;
    }

    Scratch scratch;
    rocket::model::Layout layout{scratch.path() + "/data"};
};

// SPDX-License-Identifier: Apache-2.0
// A cache of what the records and manifests in the store say, for fast look-ups: SQLite, rebuilt at will. Nothing is
// lost with it, and nothing waits for it: whoever cannot use it reads the files. An entry counts only as long as its
// stamp is that of the image's files. Members of the store's group can only read it (writer.hh). Errors: Error of any
// kind, which callers treat as "no index".
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stage0/store/entry.hh"

struct sqlite3;

namespace rocket::store
{

class Index
{
public:
    enum class Access { read, write }; // write: made if it is not there, made anew if it is of another version

    Index(const std::string& path, Access access);

    struct Row {
        Entry entry;
        std::string stamp;
    };
    using Rows = std::map<model::ImageId, Row>;

    Rows load() const;
    // One transaction: rows put in or replaced, and ids taken out.
    void update(const Rows& put, const std::vector<model::ImageId>& erased);

    // All files of the database; a corrupt one is best forgotten.
    static void erase(const std::string& path);

private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };
    void execute(const char* sql) const;
    int schema_version() const;
    void create(const std::string& path) const;

    std::unique_ptr<sqlite3, Close> database_;
};

} // namespace rocket::store

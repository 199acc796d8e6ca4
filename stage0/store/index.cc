// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/index.hh"

#include <sqlite3.h>

#include "common/model/json_object.hh"
#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

constexpr int current_version = 1;
constexpr int patience_ms = 2000;

constexpr const char* schema = R"(
BEGIN IMMEDIATE;
CREATE TABLE image (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    labels   TEXT NOT NULL,     -- JSON, as in the manifest
    size     INTEGER NOT NULL,  -- bytes
    imported INTEGER NOT NULL,  -- nanoseconds since the epoch
    verified INTEGER NOT NULL,  -- 0 or 1
    stamp    TEXT NOT NULL      -- of the files that this was read from
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
)";

void check(int result, sqlite3* database, std::string_view doing)
{
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
        fail(Error::Kind::corrupt, "{} the image index: {}", doing, ::sqlite3_errmsg(database));
}

class Statement
{
public:
    Statement(sqlite3* database, const char* sql) : database_{database}
    {
        sqlite3_stmt* raw = nullptr;
        const int result = ::sqlite3_prepare_v2(database, sql, -1, &raw, nullptr);
        statement_.reset(raw);
        check(result, database, "reading");
    }
    Statement& bind(int at, std::string_view value)
    {
        check(::sqlite3_bind_text(statement_.get(), at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT),
              database_, "writing");
        return *this;
    }
    Statement& bind(int at, std::int64_t value)
    {
        check(::sqlite3_bind_int64(statement_.get(), at, value), database_, "writing");
        return *this;
    }
    bool step() // false at the end
    {
        const int result = ::sqlite3_step(statement_.get());
        check(result, database_, "reading");
        return result == SQLITE_ROW;
    }
    void run_again() // for the next set of values
    {
        step();
        ::sqlite3_reset(statement_.get());
    }
    std::string text(int column) const
    {
        const auto* bytes = reinterpret_cast<const char*>(::sqlite3_column_text(statement_.get(), column));
        return bytes == nullptr
                   ? std::string{}
                   : std::string{bytes, static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
    }
    std::int64_t number(int column) const { return ::sqlite3_column_int64(statement_.get(), column); }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
    };
    sqlite3* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

model::Labels labels_from_text(const std::string& json_text)
{
    const auto value = model::json::parse(json_text, "labels");
    return model::labels_from(model::json::Cursor{value, "labels"}.items());
}

} // namespace

void Index::Close::operator()(sqlite3* database) const noexcept
{
    ::sqlite3_close(database);
}

Index::Index(const std::string& path, Access access)
{
    if (access == Access::write) // SQLite gives its side files the mode of this one
        create(path);
    sqlite3* raw = nullptr;
    const int flags = access == Access::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    const int result =
        ::sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
    database_.reset(raw);
    check(result, raw, "opening");
    ::sqlite3_busy_timeout(raw, patience_ms);
    if (access == Access::write) {
        int stay = 1; // the side files: those who may only read need them
        ::sqlite3_file_control(raw, "main", SQLITE_FCNTL_PERSIST_WAL, &stay);
        execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    }
    if (schema_version() == current_version)
        return;
    if (access == Access::read)
        fail(Error::Kind::corrupt, "the image index is of another version");
    execute("DROP TABLE IF EXISTS image;");
    execute(schema);
}

void Index::create(const std::string& path) const
{
    const auto file = sys::open(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    ::fchmod(file.get(), 0640); // whatever the umask
}

void Index::execute(const char* sql) const
{
    check(::sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr), database_.get(), "preparing");
}

int Index::schema_version() const
{
    Statement version{database_.get(), "PRAGMA user_version"};
    version.step();
    return static_cast<int>(version.number(0));
}

Index::Rows Index::load() const
{
    Rows rows;
    Statement all{database_.get(), "SELECT id, name, labels, size, imported, verified, stamp FROM image"};
    while (all.step()) {
        Entry entry{.id = model::ImageId::parse(all.text(0)), .name = model::AcIdentifier::parse(all.text(1))};
        entry.labels = labels_from_text(all.text(2));
        entry.size = static_cast<std::uint64_t>(all.number(3));
        entry.imported_ns = all.number(4);
        entry.verified = all.number(5) != 0;
        const auto id = entry.id;
        rows.emplace(id, Row{std::move(entry), all.text(6)});
    }
    return rows;
}

void Index::update(const Rows& put, const std::vector<model::ImageId>& erased)
{
    execute("BEGIN IMMEDIATE"); // rolled back by closing, if anything below throws
    Statement insert{database_.get(),
                     "INSERT OR REPLACE INTO image (id, name, labels, size, imported, verified, stamp) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
    for (const auto& [key, row] : put) {
        const auto& entry = row.entry;
        insert.bind(1, entry.id.digest())
            .bind(2, entry.name.str())
            .bind(3, model::json::write(model::to_json(entry.labels)))
            .bind(4, static_cast<std::int64_t>(entry.size))
            .bind(5, entry.imported_ns)
            .bind(6, std::int64_t{entry.verified})
            .bind(7, row.stamp);
        insert.run_again();
    }
    Statement remove{database_.get(), "DELETE FROM image WHERE substr(id, 1, 71) = ?1"};
    for (const auto& id : erased) {
        remove.bind(1, id.key());
        remove.run_again();
    }
    execute("COMMIT");
}

void Index::erase(const std::string& path)
{
    for (const char* suffix : {"", "-wal", "-shm", "-journal"})
        sys::unlink_if_exists(AT_FDCWD, path + suffix);
}

} // namespace rocket::store

// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kApplicationId = 0x42505357;  // "BPSW"
constexpr int kBusyMs = 10'000;

std::string metric_columns(const char* suffix) {
  std::string text;
  for (const MetricInfo& metric : kMetricTable) text += std::string(", ") + metric.name + suffix;
  return text;
}

constexpr const char* kColumns =
    "key, id, workload, machine, parameters, scope, status, reason, engine, verified";
constexpr int kFirstMetric = 10;

}  // namespace

StoreLock::StoreLock(const std::string& path) {
  const std::string file = path + ".lock";
  descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kIo, printable(file, 400) + ": " + std::strerror(errno));
  }
  // The processes of a run that was killed hold it for a moment more.
  constexpr int kTries = 100;
  constexpr std::chrono::milliseconds kPause{20};
  int tries = 0;
  while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK && ++tries < kTries) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    close(descriptor_);
    throw Error(ErrorKind::kIo, printable(path, 400) +
                                    ": found another process writing to it, expected none; give "
                                    "this one a file of its own and merge them afterwards");
  }
}

StoreLock::~StoreLock() { close(descriptor_); }

/// A prepared statement, stepped and reset.
class SweepStore::Statement {
 public:
  Statement(const SweepStore& store, const std::string& sql) : store_(store) {
    const int code = sqlite3_prepare_v2(store.database_, sql.c_str(), -1, &statement_, nullptr);
    if (code != SQLITE_OK) store.fail(code);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int at, const std::string& text) {
    sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void bind(int at, double value) { sqlite3_bind_double(statement_, at, value); }
  void bind(int at, std::uint64_t value) {
    sqlite3_bind_int64(statement_, at, static_cast<sqlite3_int64>(value));
  }
  void bind_null(int at) { sqlite3_bind_null(statement_, at); }

  /// True while there is a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) store_.fail(code);
    sqlite3_reset(statement_);
    return false;
  }
  std::string text(int at) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, at));
    return bytes
               ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, at)))
               : std::string();
  }
  double number(int at) const { return sqlite3_column_double(statement_, at); }
  std::uint64_t id(int at) const {
    return sqlite3_column_type(statement_, at) == SQLITE_NULL
               ? kNoId
               : static_cast<std::uint64_t>(sqlite3_column_int64(statement_, at));
  }

 private:
  const SweepStore& store_;
  sqlite3_stmt* statement_ = nullptr;
};

void SweepStore::fail(int code) const {
  std::string what = sqlite3_errstr(code);
  if (const std::string more = sqlite3_errmsg(database_); more != what) what += " (" + more + ")";
  // Our statements are sound, so an error in one is a table or column that is not there.
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR) {
    throw Error(ErrorKind::kInvalidInput,
                printable(path_, 400) + ": found no sound database, expected a sweep's: " + what);
  }
  throw Error(ErrorKind::kIo, printable(path_, 400) + ": " + what);
}

void SweepStore::execute(const char* sql) const {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

template <class Work>
void SweepStore::transaction(const Work& work) {
  execute("BEGIN IMMEDIATE");
  try {
    work();
    execute("COMMIT");
  } catch (...) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

SweepStore::SweepStore(const std::string& path, Mode mode) : path_(path) {
  const int flags =
      mode == Mode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (mode == Mode::kRead && access(path.c_str(), F_OK) != 0) {
    throw Error(ErrorKind::kInvalidInput,
                printable(path, 400) + ": found no such file, expected the database of a sweep");
  }
  if (std::filesystem::is_directory(path)) {
    throw Error(ErrorKind::kInvalidInput,
                printable(path, 400) + ": found a folder, expected the database of a sweep");
  }
  const int code = sqlite3_open_v2(path.c_str(), &database_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(database_, kBusyMs);
    if (mode == Mode::kWrite) execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    Statement statement(*this, "SELECT count(*) FROM sqlite_master");
    statement.step();
    const bool empty = statement.number(0) == 0;
    if (empty && mode == Mode::kWrite) {
      const std::string columns = metric_columns(" REAL");
      transaction([&] {
        execute(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str());
        execute(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
        execute("CREATE TABLE notes(name TEXT PRIMARY KEY, value TEXT)");
        execute(("CREATE TABLE points(key TEXT PRIMARY KEY, id INTEGER, workload TEXT, machine "
                 "TEXT, parameters TEXT, scope TEXT, status TEXT, reason TEXT, engine TEXT, "
                 "verified TEXT" +
                 columns + ") WITHOUT ROWID")
                    .c_str());
        execute("CREATE INDEX points_by_id ON points(id, status, verified)");
      });
    } else {
      check_identity(empty);
    }
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

/// errors  kInvalidInput: not, or not wholly, a store of this version
void SweepStore::check_identity(bool empty) const {
  const auto pragma = [&](const char* sql) {
    Statement statement(*this, sql);
    statement.step();
    return statement.number(0);
  };
  const auto refuse = [&](const std::string& found) {
    throw Error(ErrorKind::kInvalidInput,
                printable(path_, 400) + ": found " + found + ", expected a sweep's database");
  };
  if (empty) refuse("an empty file");
  if (pragma("PRAGMA application_id") != kApplicationId) refuse("another program's database");
  if (const double version = pragma("PRAGMA user_version"); version != kSchemaVersion) {
    refuse("version " + std::to_string(static_cast<std::int64_t>(version)) + " instead of " +
           std::to_string(kSchemaVersion));
  }
  Statement(*this, "SELECT name, value FROM notes");
  Statement(*this, std::string("SELECT ") + kColumns + metric_columns("") + " FROM points");
}

SweepStore::~SweepStore() { sqlite3_close(database_); }

void SweepStore::write(const std::vector<Row>& rows) {
  if (rows.empty()) return;
  std::string marks = "?";
  for (std::size_t i = 1; i < kFirstMetric + kMetricTable.size(); ++i) marks += ",?";
  std::string update =
      "status=excluded.status, reason=excluded.reason, engine=excluded.engine, "
      "verified=excluded.verified";
  for (const MetricInfo& metric : kMetricTable) {
    update += std::string(", ") + metric.name + "=excluded." + metric.name;
  }
  Statement insert(*this, std::string("INSERT INTO points(") + kColumns + metric_columns("") +
                              ") VALUES(" + marks + ") ON CONFLICT(key) DO UPDATE SET " +
                              "id=min(coalesce(id, excluded.id), coalesce(excluded.id, id)), " +
                              update);
  transaction([&] {
    for (const Row& row : rows) {
      insert.bind(1, row.point.key);
      if (row.point.id == kNoId) {
        insert.bind_null(2);
      } else {
        insert.bind(2, row.point.id);
      }
      insert.bind(3, row.point.workload);
      insert.bind(4, row.point.machine);
      insert.bind(5, row.point.parameters);
      insert.bind(6, row.point.scope);
      insert.bind(7, std::string(kPointStatusNames[static_cast<std::size_t>(row.status)]));
      insert.bind(8, row.reason);
      insert.bind(9, row.engine);
      insert.bind(10, row.verified);
      int at = kFirstMetric;
      for (const MetricInfo& metric : kMetricTable) insert.bind(++at, row.metrics.*metric.member);
      insert.step();
    }
  });
}

void SweepStore::renumber(const std::vector<std::pair<std::string, std::uint64_t>>& rows) {
  if (rows.empty()) return;
  Statement update(*this, "UPDATE points SET id=min(coalesce(id, ?2), ?2) WHERE key=?1");
  transaction([&] {
    for (const auto& [key, id] : rows) {
      update.bind(1, key);
      update.bind(2, id);
      update.step();
    }
  });
}

void SweepStore::begin_sweep(const std::string& sweep) {
  if (note("sweep") == sweep) return;
  transaction([&] {
    execute("UPDATE points SET id=NULL WHERE id IS NOT NULL");
    set_note("sweep", sweep);
  });
}

void SweepStore::mark_verified(const std::string& key, const std::string& engine) {
  Statement update(*this, "UPDATE points SET verified=?2 WHERE key=?1");
  update.bind(1, key);
  update.bind(2, engine);
  update.step();
}

std::unordered_map<std::string, SweepStore::Known> SweepStore::known() const {
  std::unordered_map<std::string, Known> all;
  Statement select(*this, "SELECT key, status, id FROM points");
  while (select.step()) {
    const bool done = select.text(1) == kPointStatusNames[0];
    all.emplace(select.text(0),
                Known{done ? PointStatus::kDone : PointStatus::kFailed, select.id(2)});
  }
  return all;
}

void SweepStore::for_each(const std::function<void(const Row&)>& visit, bool all) const {
  Statement select(*this, std::string("SELECT ") + kColumns + metric_columns("") + " FROM points " +
                              (all ? "" : "WHERE id IS NOT NULL ") + "ORDER BY id, key");
  while (select.step()) {
    Row row;
    row.point = {select.id(1),   select.text(0), select.text(2),
                 select.text(3), select.text(4), select.text(5)};
    row.status = select.text(6) == kPointStatusNames[0] ? PointStatus::kDone : PointStatus::kFailed;
    row.reason = select.text(7);
    row.engine = select.text(8);
    row.verified = select.text(9);
    int at = kFirstMetric;
    for (const MetricInfo& metric : kMetricTable) row.metrics.*metric.member = select.number(at++);
    visit(row);
  }
}

std::vector<Row> SweepStore::rows() const {
  std::vector<Row> all;
  for_each([&](const Row& row) { all.push_back(row); });
  return all;
}

SweepStore::Counts SweepStore::counts() const {
  Counts counts;
  Statement select(
      *this, "SELECT id IS NULL, status, verified<>'', count(*) FROM points GROUP BY 1, 2, 3");
  while (select.step()) {
    const auto count = static_cast<std::uint64_t>(select.number(3));
    if (select.number(0) != 0) {
      counts.elsewhere += count;
      continue;
    }
    (select.text(1) == kPointStatusNames[0] ? counts.done : counts.failed) += count;
    if (select.number(2) != 0) counts.verified += count;
  }
  return counts;
}

std::vector<std::pair<std::string, std::uint64_t>> SweepStore::failures() const {
  std::vector<std::pair<std::string, std::uint64_t>> all;
  Statement select(*this,
                   "SELECT reason, count(*) FROM points WHERE id IS NOT NULL AND status='failed' "
                   "GROUP BY reason ORDER BY 2 DESC, 1");
  while (select.step()) {
    all.emplace_back(select.text(0), static_cast<std::uint64_t>(select.number(1)));
  }
  return all;
}

std::string SweepStore::note(const std::string& name) const {
  Statement select(*this, "SELECT value FROM notes WHERE name=?");
  select.bind(1, name);
  return select.step() ? select.text(0) : "";
}

void SweepStore::set_note(const std::string& name, const std::string& value) {
  Statement insert(*this, "INSERT OR REPLACE INTO notes VALUES(?,?)");
  insert.bind(1, name);
  insert.bind(2, value);
  insert.step();
}

}  // namespace bitpulse

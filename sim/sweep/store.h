// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store of a sweep: one SQLite file, one row per point, keyed by what determines its result. A
// point is finished when its row is committed; writes are committed in batches (writer.h) through a
// write-ahead log, so a process that is killed loses no committed row and leaves the file sound.
// One process at a time writes (StoreLock); any number read.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/sweep/row.h"

struct sqlite3;

namespace bitpulse {

/// Holds "FILE.lock" for this process and its children.
///
/// errors  kIo: another process writes to the store
class StoreLock {
 public:
  explicit StoreLock(const std::string& path);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  int descriptor_ = -1;
};

class SweepStore {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };
  /// kWrite creates the file. errors kIo; kInvalidInput: no store of a sweep
  SweepStore(const std::string& path, Mode mode);
  ~SweepStore();
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;

  /// Writes all rows or none. A row of the same key is replaced and keeps the smaller number.
  /// errors  kIo: disk full, ...
  void write(const std::vector<Row>& rows);
  /// Gives rows of known keys the number they have in this sweep, the smallest of several.
  void renumber(const std::vector<std::pair<std::string, std::uint64_t>>& rows);
  /// Takes the numbers of all rows away, where `sweep` is not the one they were given for.
  void begin_sweep(const std::string& sweep);
  void mark_verified(const std::string& key, const std::string& engine);

  struct Known {
    PointStatus status;
    std::uint64_t id;  // kNoId: none in this sweep
  };
  static constexpr std::uint64_t kNoId = ~std::uint64_t{0};
  std::unordered_map<std::string, Known> known() const;

  /// Rows that have a number in this sweep, in its order; `all`: the others, too, by key.
  void for_each(const std::function<void(const Row&)>& visit, bool all = false) const;
  std::vector<Row> rows() const;

  struct Counts {
    std::uint64_t done = 0, failed = 0, verified = 0, elsewhere = 0;
  };
  Counts counts() const;

  /// Why points of this sweep failed, and how many each; the most frequent reason first.
  std::vector<std::pair<std::string, std::uint64_t>> failures() const;

  std::string note(const std::string& name) const;  // "" where there is none
  void set_note(const std::string& name, const std::string& value);

 private:
  class Statement;
  void check_identity(bool empty) const;
  void execute(const char* sql) const;
  template <class Work>
  void transaction(const Work& work);
  [[noreturn]] void fail(int code) const;

  std::string path_;
  sqlite3* database_ = nullptr;
};

}  // namespace bitpulse

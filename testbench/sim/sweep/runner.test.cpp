// SPDX-License-Identifier: Apache-2.0
// Points on their way into the store: each once, whatever dies on the way.

#include "sim/sweep/runner.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "models/error.h"
#include "sim/sweep/documents.h"
#include "sim/sweep/merge.h"
#include "sim/sweep/nsga2.h"
#include "sim/sweep/pareto.h"
#include "sim/sweep/store.h"
#include "sim/sweep/strategy.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

/// A sweep of 1,000 points that cost nothing to identify, in a folder of its own.
struct Grid {
  std::string folder = (std::filesystem::temp_directory_path() / "bitpulse-sweep-XXXXXX").string();
  SweepSpec spec = read_sweep(parse_json(R"({
    "schema": "bitpulse/sweep/1", "name": "grid", "workloads": ["two-layers-w8a8"],
    "machines": ["int8-32x32-ws"], "objectives": ["cycles", "energy_pj"],
    "axes": [
      { "keys": ["machine:/array/rows"], "range": { "from": 1, "to": 50, "step": 1 } },
      { "keys": ["machine:/array/cols"], "range": { "from": 1, "to": 20, "step": 1 } } ] })",
                                         "grid.json"));
  Evaluator evaluator{spec};
  std::vector<std::uint64_t> ids = choose_points(spec);

  Grid() { REQUIRE(mkdtemp(folder.data())); }
  ~Grid() { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return folder + "/" + name; }
  SweepSummary run(const std::string& store, const EvaluatePoint& evaluate,
                   const SweepRunOptions& options = {}) {
    SweepStore(path(store), SweepStore::Mode::kWrite).begin_sweep("{}");
    return run_points(evaluator, ids, path(store), evaluate, options);
  }
  std::string exported(const std::string& store) const {
    return points_csv(SweepStore(path(store), SweepStore::Mode::kRead).rows());
  }
};

PointMetrics cheap(std::uint64_t id) {
  PointMetrics metrics;
  metrics.cycles = static_cast<double>(1000 + id * 7919 % 977);
  metrics.energy_pj = 1.0 / static_cast<double>(1 + id * 31 % 101);
  return metrics;
}

SweepRunOptions with(int jobs, double timeout_s = 60) {
  SweepRunOptions options;
  options.jobs = jobs;
  options.timeout_s = timeout_s;
  return options;
}

}  // namespace

TEST_CASE("exports have the same bytes at one and two jobs, and a second run runs nothing",
          "[sweep][runner]") {
  Grid grid;
  CHECK(grid.run("one", cheap, with(1)).ran == 1000);
  CHECK(grid.run("two", cheap, with(2)).ran == 1000);
  CHECK(grid.exported("one") == grid.exported("two"));
  const SweepSummary again = grid.run("two", cheap, with(2));
  CHECK(again.ran == 0);
  CHECK(again.stored == 1000);
}

TEST_CASE("a sweep killed at random moments ends like one that was left alone",
          "[sweep][runner][kill]") {
  Grid grid;
  const auto slow = [](std::uint64_t id) {
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    return cheap(id);
  };
  grid.run("whole", cheap, with(2));
  std::mt19937 random(7);
  int kills = 0;
  std::size_t most = 0;
  for (; kills < 50; ++kills) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      grid.run("killed", slow, with(2));
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (!std::filesystem::exists(grid.path("killed"))) continue;
    if (std::filesystem::file_size(grid.path("killed")) == 0) continue;
    const SweepStore store(grid.path("killed"), SweepStore::Mode::kWrite);
    const std::size_t rows = store.known().size();
    CHECK(rows >= most);  // nothing that was committed is lost
    most = rows;
  }
  grid.run("killed", slow, with(2));
  CHECK(grid.exported("killed") == grid.exported("whole"));
}

TEST_CASE("points that crash, hang or throw fail with the reason, and all others are done",
          "[sweep][runner]") {
  Grid grid;
  const auto nasty = [](std::uint64_t id) {
    if (id == 17) std::raise(SIGKILL);
    if (id == 444) std::this_thread::sleep_for(std::chrono::hours(1));
    if (id == 900) throw Error(ErrorKind::kInvalidInput, "does not fit");
    return cheap(id);
  };
  const SweepSummary summary = grid.run("nasty", nasty, with(2, 1.5));
  CHECK(summary.failed == 3);
  const SweepStore store(grid.path("nasty"), SweepStore::Mode::kRead);
  CHECK(store.counts().done == 997);
  CHECK(store.counts().failed == 3);
  store.for_each([](const Row& row) {
    if (row.status == PointStatus::kDone) return;
    const std::string expected = row.point.id == 17    ? "ended by signal 9 (Killed)"
                                 : row.point.id == 444 ? "gave no result within the time limit"
                                                       : "does not fit";
    CHECK(row.reason == expected);
  });
  SweepRunOptions retry = with(2);
  CHECK(grid.run("nasty", cheap, retry).ran == 0);
  retry.retry_failed = true;
  CHECK(grid.run("nasty", cheap, retry).ran == 3);
  CHECK(store.counts().failed == 0);
}

TEST_CASE("shards share the points out, and merged they are the whole", "[sweep][merge]") {
  Grid grid;
  grid.run("whole", cheap, with(2));
  std::vector<std::string> parts;
  std::uint64_t ran = 0;
  for (std::uint64_t shard = 0; shard < 3; ++shard) {
    SweepRunOptions options = with(2);
    options.shard = shard;
    options.shards = 3;
    parts.push_back(grid.path("part" + std::to_string(shard)));
    const SweepSummary summary = grid.run("part" + std::to_string(shard), cheap, options);
    CHECK(summary.ran > 250);
    ran += summary.ran;
  }
  CHECK(ran == 1000);
  merge_stores(grid.path("merged"), parts);
  CHECK(grid.exported("merged") == grid.exported("whole"));

  grid.run("liar", [](std::uint64_t id) {
    PointMetrics metrics = cheap(id);
    if (id == 500) metrics.cycles += 1;
    return metrics;
  });
  try {
    merge_stores(grid.path("merged"), {grid.path("liar")});
    FAIL("contradicting stores were merged");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCheckFailed);
    CHECK(std::string(error.what()).find("point 500") != std::string::npos);
    CHECK(std::string(error.what()).find("liar") != std::string::npos);
  }
  CHECK(grid.exported("merged") == grid.exported("whole"));
}

TEST_CASE("a store that another process writes to is refused", "[sweep][store]") {
  Grid grid;
  const StoreLock lock(grid.path("db"));
  CHECK_THROWS_AS(StoreLock(grid.path("db")), Error);
}

TEST_CASE("NSGA-II asks for the same points again and comes near the front of a known space",
          "[sweep][nsga2]") {
  Grid grid;
  grid.spec.objectives = {Objective::kCycles, Objective::kAreaMm2};
  grid.spec.strategy = {StrategyKind::kNsga2, 0, 4, 40, 15};
  // Both fall towards row 0; along it they trade, so the front is the 20 points of that row.
  const auto search = [&] {
    std::vector<std::uint64_t> asked;
    search_nsga2(grid.spec, [&](const std::vector<std::uint64_t>& ids) {
      std::vector<std::vector<double>> values;
      for (const std::uint64_t id : ids) {
        const auto choices = grid.spec.choices(id);
        values.push_back({choices[2] + double(choices[3]), choices[2] + 20 - double(choices[3])});
      }
      asked.insert(asked.end(), ids.begin(), ids.end());
      return values;
    });
    return asked;
  };
  const std::vector<std::uint64_t> asked = search();
  CHECK(asked == search());
  CHECK(asked.size() == 40 * 16);
  std::set<std::uint64_t> front;
  for (const std::uint64_t id : asked) {
    if (id < 20) front.insert(id);
  }
  CHECK(front.size() >= 15);
}

TEST_CASE("the front is what comparing every pair finds", "[sweep][pareto]") {
  std::mt19937 random(3);
  std::vector<Row> rows(300);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].point.id = i;
    rows[i].point.scope = i % 2 == 0 ? "even" : "odd";
    rows[i].metrics.cycles = static_cast<double>(random() % 40);
    rows[i].metrics.area_mm2 = static_cast<double>(random() % 40);
    if (i % 50 == 0) rows[i].status = PointStatus::kFailed;
  }
  const std::vector<Objective> objectives{Objective::kCycles, Objective::kAreaMm2};
  const std::vector<std::int64_t> front = find_front(rows, objectives);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].status == PointStatus::kFailed) {
      CHECK(front[i] == -2);
      continue;
    }
    bool beaten = false;
    for (const Row& other : rows) {
      beaten = beaten ||
               (other.status == PointStatus::kDone && other.point.scope == rows[i].point.scope &&
                dominates(other.metrics, rows[i].metrics, objectives));
    }
    CHECK((front[i] == -1) == !beaten);
  }
}

}  // namespace bitpulse

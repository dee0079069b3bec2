// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <filesystem>
#include <iostream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/text.h"
#include "quant/integer/parallel.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"
#include "sim/cli/run_of_point.h"
#include "sim/cli/sweep.h"
#include "sim/sweep/documents.h"
#include "sim/sweep/nsga2.h"
#include "sim/sweep/pareto.h"
#include "sim/sweep/store.h"
#include "sim/sweep/strategy.h"

namespace bitpulse {
namespace {

constexpr double kMaxTimeout = 1e7;  // s

/// "I/N" to {I - 1, N}.
std::pair<std::uint64_t, std::uint64_t> shard_of(const Arguments& arguments) {
  if (!arguments.has("shard")) return {0, 1};
  const std::string text = arguments.text("shard");
  std::uint64_t index = 0, count = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, index);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '/') {
    const auto second = std::from_chars(first.ptr + 1, end, count);
    if (second.ec == std::errc() && second.ptr == end && index >= 1 && index <= count &&
        count <= 1'000'000) {
      return {index - 1, count};
    }
  }
  throw Error(ErrorKind::kUsage,
              "--shard: found \"" + printable(text) + "\", expected I/N with 1 <= I <= N");
}

/// One sweep on its way into its store.
class SweepRun {
 public:
  explicit SweepRun(const Arguments& arguments)
      : arguments_(arguments),
        evaluator_(load_evaluator(arguments)),
        spec_(evaluator_.spec()),
        path_(store_path(arguments, spec_)),
        lock_(path_) {
    options_.jobs = jobs_of(arguments);
    options_.timeout_s =
        static_cast<double>(arguments.integer("timeout", 600, 1, static_cast<int>(kMaxTimeout)));
    options_.memory_mib = arguments.integer("max-memory", 0, 1, 1 << 24);
    std::tie(options_.shard, options_.shards) = shard_of(arguments);
    options_.retry_failed = arguments.has("retry-failed");
    SweepStore(path_, SweepStore::Mode::kWrite).begin_sweep(sweep_text(spec_));
  }

  int run() {
    make_named_files();
    if (spec_.strategy.kind == StrategyKind::kNsga2) {
      if (options_.shards > 1) {
        throw Error(ErrorKind::kUsage,
                    "--shard: an nsga2 sweep chooses its points one after another");
      }
      search_nsga2(spec_, [this](const auto& ids) { return objectives_of(ids); });
    } else {
      run_ids(choose_points(spec_));
    }
    const int status = spec_.verify.empty() ? 0 : verify();
    print();
    return status;
  }

 private:
  /// What takes long and serves many points, the sensitivities of a network, is made before the
  /// time of points is measured.
  void make_named_files() {
    std::vector<std::uint32_t> choices(spec_.sizes().size(), 0);
    for (; choices[0] < spec_.workloads.size(); ++choices[0]) {
      try {
        evaluator_.identify(spec_.id_of(choices));
      } catch (const Error&) {
        continue;  // the points themselves say why
      }
    }
  }

  void run_ids(const std::vector<std::uint64_t>& ids) {
    const RunOfPoint outside(evaluator_, arguments_, spec_.engine, options_.timeout_s);
    SweepRunOptions options = options_;
    // The worker is forked before the thread of a progress display exists.
    std::unique_ptr<Progress> progress;
    options.progress = [&](std::uint64_t done) {
      if (!progress) {
        progress = std::make_unique<Progress>();
        progress->phase(spec_.name, static_cast<std::int64_t>(ids.size()));
      }
      progress->update(static_cast<std::int64_t>(done));
    };
    if (!spec_.in_threads()) options.timeout_s *= 2;  // the process has its own limit
    const SweepSummary part =
        run_points(evaluator_, ids, path_,
                   spec_.in_threads()
                       ? EvaluatePoint([this](std::uint64_t id) { return evaluator_.evaluate(id); })
                       : EvaluatePoint(outside),
                   options);
    summary_.ran += part.ran;
    summary_.failed += part.failed;
    summary_.stored += part.stored;
    summary_.invalid += part.invalid;
    summary_.elsewhere += part.elsewhere;
    summary_.restarts += part.restarts;
  }

  /// Runs a generation; points that failed or are invalid lose against all others.
  std::vector<std::vector<double>> objectives_of(const std::vector<std::uint64_t>& ids) {
    run_ids(ids);
    std::map<std::string, PointMetrics> done;
    SweepStore(path_, SweepStore::Mode::kRead).for_each([&](const Row& row) {
      if (row.status == PointStatus::kDone) done[row.point.key] = row.metrics;
    });
    std::vector<std::vector<double>> all;
    for (const std::uint64_t id : ids) {
      std::vector<double> values(spec_.objectives.size(), std::numeric_limits<double>::max());
      std::string key;
      try {
        if (evaluator_.refusal(id).empty()) key = evaluator_.identify(id).key;
      } catch (const Error&) {
        key.clear();  // counted as invalid
      }
      if (const auto found = done.find(key); found != done.end()) {
        for (std::size_t o = 0; o < values.size(); ++o) {
          values[o] = objective_value(found->second, spec_.objectives[o]);
        }
      }
      all.push_back(std::move(values));
    }
    return all;
  }

  /// Runs the front again with the engine of "verify". 1 where it finds other cycles.
  int verify() {
    SweepStore store(path_, SweepStore::Mode::kWrite);
    const std::vector<Row> rows = store.rows();
    const std::vector<std::int64_t> front = find_front(rows, spec_.objectives);
    std::vector<const Row*> todo;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (front[i] == -1 && rows[i].verified != spec_.verify) todo.push_back(&rows[i]);
    }
    Progress progress;
    progress.phase("verify with " + spec_.verify, static_cast<std::int64_t>(todo.size()));
    const RunOfPoint run(evaluator_, arguments_, spec_.verify, options_.timeout_s);
    std::mutex mutex;
    int status = 0;
    std::int64_t done = 0;
    parallel_for(options_.jobs, static_cast<std::int64_t>(todo.size()), [&](std::int64_t i, int) {
      const Row& row = *todo[static_cast<std::size_t>(i)];
      std::string problem;
      double cycles = 0;
      try {
        cycles = run(row.point.id).cycles;
      } catch (const Error& error) {
        problem = error.what();
      }
      const std::lock_guard<std::mutex> lock(mutex);
      progress.update(++done);
      if (problem.empty() && cycles == row.metrics.cycles) {
        store.mark_verified(row.point.key, spec_.verify);
        ++verified_;
        return;
      }
      if (problem.empty()) {
        problem = std::to_string(static_cast<std::int64_t>(cycles)) + " cycles instead of " +
                  std::to_string(static_cast<std::int64_t>(row.metrics.cycles));
      }
      std::cerr << "bitpulse: " << spec_.verify << ", point " << describe(row.point) << ": "
                << problem << '\n';
      status = static_cast<int>(ErrorKind::kCheckFailed);
    });
    return status;
  }

  void print() const {
    if (arguments_.has("json")) {
      std::cout << nlohmann::ordered_json({{"db", path_},
                                           {"ran", summary_.ran},
                                           {"failed", summary_.failed},
                                           {"stored", summary_.stored},
                                           {"invalid", summary_.invalid},
                                           {"other_shards", summary_.elsewhere},
                                           {"restarts", summary_.restarts},
                                           {"verified", verified_}})
                       .dump(2)
                << '\n';
      return;
    }
    std::cout << path_ << ": " << summary_.ran << " points run (" << summary_.failed << " failed), "
              << summary_.stored << " had been, " << summary_.invalid << " invalid";
    if (summary_.invalid > 0) std::cout << " (sweep plan says why)";
    if (options_.shards > 1) std::cout << ", " << summary_.elsewhere << " of other shards";
    if (summary_.restarts > 0) std::cout << "; " << summary_.restarts << " workers lost";
    if (!spec_.verify.empty()) std::cout << "; " << verified_ << " verified with " << spec_.verify;
    if (summary_.failed > 0) std::cout << "; sweep status says why points failed";
    std::cout << '\n';
  }

  const Arguments& arguments_;
  Evaluator evaluator_;
  const SweepSpec& spec_;
  const std::string path_;
  const StoreLock lock_;
  SweepRunOptions options_;
  SweepSummary summary_;
  std::uint64_t verified_ = 0;
};

}  // namespace

int sweep_run(const Arguments& arguments) { return SweepRun(arguments).run(); }

}  // namespace bitpulse

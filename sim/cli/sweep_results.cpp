// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/json.h"
#include "models/text.h"
#include "sim/cli/sweep.h"
#include "sim/sweep/documents.h"
#include "sim/sweep/laws.h"
#include "sim/sweep/merge.h"
#include "sim/sweep/pareto.h"
#include "sim/sweep/slurm.h"
#include "sim/sweep/store.h"
#include "sim/sweep/strategy.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

std::size_t limit_of(const Arguments& arguments) {
  return static_cast<std::size_t>(arguments.integer("limit", 20, 0, 10'000'000));
}

/// The store of a sweep, which the action names by the sweep or by the database itself.
std::string store_named(const Arguments& arguments) {
  const std::string& name = arguments.positional().at(1);
  if (std::filesystem::path(name).extension() == ".db") return name;
  return store_path(arguments, load_sweep(name));
}

struct Plan {
  std::vector<std::uint64_t> valid;
  std::map<std::string, std::uint64_t> refused;  // by reason
  std::vector<std::pair<std::uint64_t, std::string>> examples;
  double seconds_per_point = 0;
  std::uint64_t candidates = 0;
};

/// Looks at every point and times a few, spread over the grid.
Plan make_plan(Evaluator& evaluator, std::size_t limit) {
  const SweepSpec& spec = evaluator.spec();
  Plan plan;
  std::vector<std::uint64_t> ids = choose_points(spec);
  if (spec.strategy.kind == StrategyKind::kNsga2) {
    // Which points a search visits is not known before; a sample says how many are valid.
    SweepSpec sample = spec;
    sample.strategy = {StrategyKind::kRandom, 1000, spec.strategy.seed};
    ids = choose_points(sample);
  }
  plan.candidates = ids.size();
  for (const std::uint64_t id : ids) {
    const std::string why = evaluator.refusal(id);
    if (why.empty()) {
      plan.valid.push_back(id);
      continue;
    }
    ++plan.refused[why];
    if (plan.examples.size() < limit) plan.examples.emplace_back(id, why);
  }
  constexpr std::size_t kTimed = 16;
  constexpr double kMaxSeconds = 2;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  std::size_t timed = 0;
  double seconds = 0;
  for (std::size_t i = 0; i < kTimed && i < plan.valid.size() && seconds < kMaxSeconds; ++i) {
    const std::size_t at = i * plan.valid.size() / std::min(kTimed, plan.valid.size());
    try {
      evaluator.evaluate(plan.valid[at]);
    } catch (const Error&) {
      continue;  // will be a failed point; its time is not typical
    }
    ++timed;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  if (timed > 0) plan.seconds_per_point = seconds / static_cast<double>(timed);
  return plan;
}

double points_to_run(const SweepSpec& spec, const Plan& plan) {
  if (spec.strategy.kind != StrategyKind::kNsga2) return static_cast<double>(plan.valid.size());
  return static_cast<double>(spec.strategy.population * (spec.strategy.generations + 1));
}

void print_schedules(Evaluator& evaluator, const LawViolation& violation) {
  const Report poor = evaluator.report(violation.poor->point.id);
  const Report rich = evaluator.report(violation.rich->point.id);
  for (std::size_t i = 0; i < poor.layers.size() && i < rich.layers.size(); ++i) {
    const LayerReport &a = poor.layers[i], &b = rich.layers[i];
    if (b.timeline.cycles <= a.timeline.cycles) continue;
    std::cout << "    layer " << a.plan.name << ": " << a.timeline.cycles << " cycles ("
              << a.plan.tiling << "), then " << b.timeline.cycles << " (" << b.plan.tiling << ")\n";
  }
}

}  // namespace

int sweep_plan(const Arguments& arguments) {
  Evaluator evaluator(load_sweep(arguments.positional().at(1)));
  const SweepSpec& spec = evaluator.spec();
  const Plan plan = make_plan(evaluator, limit_of(arguments));
  constexpr double kRowBytes = 700, kWorkerMib = 30;
  const double points = points_to_run(spec, plan);
  const double seconds = points * plan.seconds_per_point;
  const double mib = kWorkerMib + points * 250 / (1 << 20);
  const bool modelled = spec.engine == "fast" && spec.images == 0;
  if (arguments.has("json")) {
    Json refused = Json::array();
    for (const auto& [why, count] : plan.refused) {
      refused.push_back({{"reason", why}, {"points", count}});
    }
    std::cout << Json({{"sweep", spec.name},
                       {"grid_points", spec.grid_points()},
                       {"points", points},
                       {"invalid", refused},
                       {"core_seconds", modelled ? Json(seconds) : Json()},
                       {"memory_mib", mib},
                       {"database_bytes", points * kRowBytes}})
                     .dump(2)
              << '\n';
    return 0;
  }
  std::cout << spec.name << ": " << spec.grid_points() << " grid points, " << plan.candidates
            << " looked at, " << plan.valid.size() << " valid, "
            << plan.candidates - plan.valid.size() << " invalid\n";
  for (const auto& [why, count] : plan.refused) std::cout << "  " << count << " x " << why << '\n';
  for (const auto& [id, why] : plan.examples) std::cout << "  point " << id << ": " << why << '\n';
  std::cout << "to run      at most " << static_cast<std::int64_t>(points) << " points\n";
  if (modelled) {
    std::cout << "time        about " << seconds << " core seconds ("
              << plan.seconds_per_point * 1e3 << " ms each)\n";
  } else {
    std::cout << "time        not foretold: each point is a process with " << spec.engine << '\n';
  }
  std::cout << "memory      about " << static_cast<std::int64_t>(mib) << " MiB, database "
            << static_cast<std::int64_t>(points * kRowBytes / 1024) << " KiB\n";
  return 0;
}

int sweep_status(const Arguments& arguments) {
  const std::string path = store_named(arguments);
  const SweepStore store(path, SweepStore::Mode::kRead);
  const SweepStore::Counts counts = store.counts();
  if (arguments.has("json")) {
    std::cout << Json({{"db", path},
                       {"done", counts.done},
                       {"failed", counts.failed},
                       {"verified", counts.verified},
                       {"of_other_sweeps", counts.elsewhere}})
                     .dump(2)
              << '\n';
    return 0;
  }
  std::cout << path << ": " << counts.done << " done, " << counts.failed << " failed, "
            << counts.verified << " verified";
  if (counts.elsewhere > 0) std::cout << ", " << counts.elsewhere << " of earlier sweeps";
  std::cout << '\n';
  return 0;
}

int sweep_export(const Arguments& arguments) {
  const SweepStore store(store_named(arguments), SweepStore::Mode::kRead);
  std::cout << (arguments.has("json") ? points_json(store) : points_csv(store.rows()));
  return 0;
}

int sweep_pareto(const Arguments& arguments) {
  const SweepSpec spec = load_sweep(arguments.positional().at(1));
  const SweepStore store(store_path(arguments, spec), SweepStore::Mode::kRead);
  std::vector<Row> rows = store.rows();
  if (arguments.has("dominates")) {
    const auto id =
        static_cast<std::uint64_t>(arguments.integer("dominates", 0, 0, std::int64_t{1} << 53));
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.point.id == id; });
    if (found == rows.end() || found->status != PointStatus::kDone) {
      throw Error(ErrorKind::kUsage, "--dominates: found " + std::to_string(id) +
                                         ", expected the id of a point that is done");
    }
    std::vector<Row> better;
    for (const Row& row : rows) {
      if (row.status == PointStatus::kDone && row.point.scope == found->point.scope &&
          dominates(row.metrics, found->metrics, spec.objectives)) {
        better.push_back(row);
      }
    }
    std::cout << points_csv(better);
    return 0;
  }
  std::vector<std::int64_t> front = find_front(rows, spec.objectives);
  if (arguments.has("all")) {
    std::cout << front_csv(rows, front);
    return 0;
  }
  std::vector<Row> best;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (front[i] == -1) best.push_back(rows[i]);
  }
  std::cout << front_csv(best, std::vector<std::int64_t>(best.size(), -1));
  return 0;
}

int sweep_check(const Arguments& arguments) {
  Evaluator evaluator(load_sweep(arguments.positional().at(1)));
  const SweepStore store(store_path(arguments, evaluator.spec()), SweepStore::Mode::kRead);
  const std::vector<Row> rows = store.rows();
  const LawVerdict verdict = check_laws(evaluator.spec(), rows);
  std::cout << verdict.pairs << " pairs compared, " << verdict.violations.size() << " violations\n";
  const std::size_t shown = std::min(limit_of(arguments), verdict.violations.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const LawViolation& violation = verdict.violations[i];
    std::cout << violation.law->text << ", but\n  " << describe(violation.poor->point) << ": "
              << static_cast<std::int64_t>(violation.poor->metrics.cycles) << " cycles\n  "
              << describe(violation.rich->point) << ": "
              << static_cast<std::int64_t>(violation.rich->metrics.cycles) << " cycles\n";
    print_schedules(evaluator, violation);
  }
  return verdict.violations.empty() ? 0 : static_cast<int>(ErrorKind::kCheckFailed);
}

int sweep_merge(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.positional();
  const MergeSummary summary = merge_stores(words[1], {words.begin() + 2, words.end()});
  std::cout << words[1] << ": " << summary.rows << " points from " << words.size() - 2
            << " databases, " << summary.equal << " of them in several\n";
  return 0;
}

int sweep_emit_slurm(const Arguments& arguments) {
  namespace fs = std::filesystem;
  Evaluator evaluator(load_sweep(arguments.positional().at(1)));
  const SweepSpec& spec = evaluator.spec();
  SlurmOptions options;
  options.program = fs::read_symlink("/proc/self/exe").string();
  options.sweep = fs::absolute(spec.file).string();
  options.folder =
      fs::absolute(arguments.text("folder", fs::path(spec.file).stem().string())).string();
  options.name = spec.name;
  options.throttle = static_cast<std::uint64_t>(arguments.integer("throttle", 0, 1, 100'000));
  options.cpus = static_cast<int>(arguments.integer("jobs", 1, 1, 256));
  options.memory_mib = arguments.integer("max-memory", 512, 64, 1 << 24);
  if (arguments.has("shards")) {
    options.shards = static_cast<std::uint64_t>(arguments.integer("shards", 1, 1, 100'000));
  } else {
    const Plan plan = make_plan(evaluator, 0);
    options.shards = shards_for(points_to_run(spec, plan) * plan.seconds_per_point / options.cpus);
  }
  std::cout << slurm_script(options);
  return 0;
}

}  // namespace bitpulse

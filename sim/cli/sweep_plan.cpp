// SPDX-License-Identifier: Apache-2.0
// What a sweep will cost, before it runs, and the batch script that follows from it.

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "sim/cli/run_of_point.h"
#include "sim/cli/sweep.h"
#include "sim/sweep/slurm.h"
#include "sim/sweep/strategy.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

/// Points that are refused for one reason.
struct Refused {
  std::uint64_t points = 0;
  std::vector<std::uint64_t> first;  // a few of them
};

struct Plan {
  std::vector<std::uint64_t> valid;
  std::map<std::string, Refused> refused;  // by reason
  std::uint64_t candidates = 0;
  double core_seconds_per_point = 0;
  double mib_per_job = 0;  // of a point in a process of its own
};

struct Usage {
  double core_seconds = 0, peak_mib = 0;
};
Usage usage_of(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
          static_cast<double>(usage.ru_maxrss) / 1024};
}

/// Runs a few points, spread over the grid, and takes what they cost.
void measure(Evaluator& evaluator, const Arguments& arguments, Plan& plan) {
  const bool in_threads = evaluator.spec().in_threads();
  const std::size_t most = in_threads ? 16 : 3;
  const double enough_s = in_threads ? 2 : 10, timeout_s = 60;
  const RunOfPoint outside(evaluator, arguments, evaluator.spec().engine, timeout_s);
  const int who = in_threads ? RUSAGE_SELF : RUSAGE_CHILDREN;
  const double start = usage_of(who).core_seconds;
  double used = 0;
  std::size_t timed = 0;
  for (std::size_t i = 0; i < most && i < plan.valid.size() && used < enough_s; ++i) {
    const std::uint64_t id = plan.valid[i * plan.valid.size() / std::min(most, plan.valid.size())];
    try {
      in_threads ? evaluator.evaluate(id) : outside(id);
    } catch (const Error&) {
      continue;  // will be a failed point; its time is not typical
    }
    ++timed;
    used = usage_of(who).core_seconds - start;
  }
  if (timed > 0) plan.core_seconds_per_point = used / static_cast<double>(timed);
  if (!in_threads) plan.mib_per_job = usage_of(who).peak_mib;
}

/// Looks at every point and runs a few.
Plan make_plan(Evaluator& evaluator, const Arguments& arguments) {
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
    constexpr std::size_t kShown = 3;
    Refused& refused = plan.refused[why];
    ++refused.points;
    if (refused.first.size() < kShown) refused.first.push_back(id);
  }
  measure(evaluator, arguments, plan);
  return plan;
}

double points_to_run(const SweepSpec& spec, const Plan& plan) {
  if (spec.strategy.kind != StrategyKind::kNsga2) return static_cast<double>(plan.valid.size());
  return static_cast<double>(spec.strategy.population * (spec.strategy.generations + 1));
}

/// "  12 x constraint: rows <= 8 (points 3, 4, 5, ...)", the most frequent reasons first.
void print_refused(const Plan& plan, std::size_t limit) {
  using Reason = std::pair<std::string, Refused>;
  std::vector<Reason> reasons(plan.refused.begin(), plan.refused.end());
  std::stable_sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) {
    return a.second.points > b.second.points;
  });
  for (std::size_t i = 0; i < reasons.size() && i < limit; ++i) {
    const auto& [why, refused] = reasons[i];
    std::cout << "  " << refused.points << " x " << why << " (point"
              << (refused.points > 1 ? "s " : " ");
    for (std::size_t p = 0; p < refused.first.size(); ++p) {
      std::cout << (p > 0 ? ", " : "") << refused.first[p];
    }
    std::cout << (refused.points > refused.first.size() ? ", ...)\n" : ")\n");
  }
  if (reasons.size() > limit) {
    std::cout << "  and " << reasons.size() - limit << " more reasons (--limit)\n";
  }
}

}  // namespace

int sweep_plan(const Arguments& arguments) {
  Evaluator evaluator(load_evaluator(arguments));
  const SweepSpec& spec = evaluator.spec();
  const Plan plan = make_plan(evaluator, arguments);
  constexpr double kRowBytes = 700, kWorkerMib = 30;
  const double points = points_to_run(spec, plan);
  const double seconds = points * plan.core_seconds_per_point;
  const double mib = kWorkerMib + points * 250 / (1 << 20) + jobs_of(arguments) * plan.mib_per_job;
  if (arguments.has("json")) {
    Json refused = Json::array();
    for (const auto& [why, points_so] : plan.refused) {
      refused.push_back(
          {{"reason", why}, {"points", points_so.points}, {"first", points_so.first}});
    }
    std::cout << Json({{"sweep", spec.name},
                       {"grid_points", spec.grid_points()},
                       {"points", points},
                       {"invalid", refused},
                       {"core_seconds", seconds},
                       {"memory_mib", mib},
                       {"database_bytes", points * kRowBytes}})
                     .dump(2)
              << '\n';
    return 0;
  }
  std::cout << spec.name << ": " << spec.grid_points() << " grid points, " << plan.candidates
            << " looked at, " << plan.valid.size() << " valid, "
            << plan.candidates - plan.valid.size() << " invalid\n";
  print_refused(plan, limit_of(arguments));
  std::cout << "to run      at most " << static_cast<std::int64_t>(points) << " points\n";
  std::cout << std::setprecision(3) << "time        about " << seconds << " core seconds ("
            << plan.core_seconds_per_point * 1e3 << " ms each)\n";
  std::cout << "memory      about " << static_cast<std::int64_t>(mib) << " MiB, database "
            << static_cast<std::int64_t>(points * kRowBytes / 1024) << " KiB\n";
  return 0;
}

int sweep_emit_slurm(const Arguments& arguments) {
  namespace fs = std::filesystem;
  Evaluator evaluator(load_evaluator(arguments));
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
  const bool is_search = spec.strategy.kind == StrategyKind::kNsga2;
  if (is_search && arguments.integer("shards", 1, 1, 100'000) > 1) {
    throw Error(ErrorKind::kUsage, "--shards: an nsga2 sweep chooses its points one after another");
  }
  if (arguments.has("shards") || is_search) {
    options.shards = static_cast<std::uint64_t>(arguments.integer("shards", 1, 1, 100'000));
  } else {
    const Plan plan = make_plan(evaluator, arguments);
    options.shards =
        shards_for(points_to_run(spec, plan) * plan.core_seconds_per_point / options.cpus);
  }
  std::cout << slurm_script(options);
  return 0;
}

}  // namespace bitpulse

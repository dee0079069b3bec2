// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/sweep.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/shipped.h"
#include "models/text.h"
#include "sim/cli/arrays.h"
#include "sim/cli/limits.h"
#include "sim/cli/sweep_bits.h"

namespace bitpulse {
namespace {

struct Action {
  const char* name;
  std::size_t min_files, max_files;
  int (*run)(const Arguments&);
  std::vector<std::string_view> options;
};
const std::vector<Action>& actions() {
  static const std::vector<Action> all{
      {"plan",
       1,
       1,
       sweep_plan,
       {"db", "jobs", "shard", "retry-failed", "timeout", "max-memory", "cache", "limit", "json"}},
      {"run",
       1,
       1,
       sweep_run,
       {"db", "jobs", "shard", "retry-failed", "timeout", "max-memory", "cache", "json"}},
      {"status", 1, 1, sweep_status, {"db", "limit", "json"}},
      {"export", 1, 1, sweep_export, {"db", "json"}},
      {"pareto", 1, 1, sweep_pareto, {"db", "all", "plot", "dominates"}},
      {"check", 1, 1, sweep_check, {"db", "limit"}},
      {"merge", 2, 100'000, sweep_merge, {}},
      {"emit-slurm",
       1,
       1,
       sweep_emit_slurm,
       {"jobs", "max-memory", "shards", "throttle", "folder", "cache"}},
  };
  return all;
}

/// errors  kUsage: an option of other actions, which would have no effect
void check_options(const Action& action, const Arguments& arguments) {
  for (const Action& other : actions()) {
    for (const std::string_view option : other.options) {
      const bool taken =
          std::find(action.options.begin(), action.options.end(), option) != action.options.end();
      if (taken || !arguments.has(option)) continue;
      throw Error(ErrorKind::kUsage,
                  std::string("sweep ") + action.name + ": found --" + std::string(option) +
                      ", expected " +
                      (action.options.empty() ? "no options" : "only " + join(action.options)));
    }
  }
}

int sweep(const Arguments& arguments) {
  const std::string& name = arguments.positional().front();
  const std::size_t files = arguments.positional().size() - 1;
  std::vector<std::string_view> known;
  for (const Action& action : actions()) {
    known.emplace_back(action.name);
    if (name != action.name) continue;
    if (files < action.min_files || files > action.max_files) {
      throw Error(ErrorKind::kUsage, "sweep " + name + ": found " + std::to_string(files) +
                                         " files, expected " +
                                         (action.max_files == 1 ? "one" : "TARGET.db PART.db..."));
    }
    check_options(action, arguments);
    return action.run(arguments);
  }
  throw Error(ErrorKind::kUsage, "sweep: found \"" + printable(name) + "\", expected " +
                                     join(known) + did_you_mean(name, known));
}

}  // namespace

SweepSpec load_sweep(const std::string& name) {
  return read_sweep(load_json(find_file(name, "sweeps")));
}

Evaluator load_evaluator(const Arguments& arguments) {
  return Evaluator(load_sweep(arguments.positional().at(1)), std::make_shared<SweepBits>());
}

std::string sweep_text(const SweepSpec& spec) { return load_json(spec.file).raw_text(); }

std::string store_path(const Arguments& arguments, const SweepSpec& spec) {
  return arguments.text("db", std::filesystem::path(spec.file).stem().string() + ".db");
}

int jobs_of(const Arguments& arguments) {
  const auto jobs = static_cast<int>(arguments.integer("jobs", 0, 0, 256));
  return jobs > 0 ? jobs : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::size_t limit_of(const Arguments& arguments) {
  return static_cast<std::size_t>(arguments.integer("limit", 20, 0, 10'000'000));
}

Subcommand sweep_command() {
  return {"sweep",
          "ACTION SWEEP.json [options]",
          "Runs a design space into a database and finds its best points.\n"
          "  plan SWEEP        what would run: points, invalid ones with reasons, time\n"
          "  run SWEEP         runs what the database lacks; again to resume\n"
          "  status SWEEP      what the database has, and why points failed\n"
          "  export SWEEP      the points as CSV, or as JSON (--json)\n"
          "  pareto SWEEP      points that none beats, as CSV and as a picture (--plot)\n"
          "  check SWEEP       laws over results: more bandwidth is never slower, ...\n"
          "  merge DB PART...  joins the databases of shards\n"
          "  emit-slurm SWEEP  prints a batch script for Slurm",
          1,
          100'001,
          {{"db", "FILE", "database; default: the sweep's name with .db, here"},
           {"jobs", "N", "points at a time; 0: one per core (default)"},
           {"shard", "I/N", "run the I-th of N parts only, 1 <= I <= N"},
           {"retry-failed", nullptr, "run failed points again"},
           {"timeout", "SECONDS", "of one point (default 600)"},
           {"max-memory", "MIB", "of the points that run at a time; one that needs more fails"},
           {"all", nullptr, "pareto: the dominated points, too"},
           {"plot", "FILE", "pareto: also draws the front (SVG), dominated points in grey"},
           {"dominates", "ID", "pareto: which points dominate this one"},
           {"shards", "N", "emit-slurm: tasks; default: a minute's work each"},
           {"throttle", "N", "emit-slurm: tasks at a time"},
           {"folder", "DIR", "emit-slurm: where the databases go"},
           {"limit", "N", "plan, status, check: lines of each list (default 20)"},
           kCacheOption,
           kJsonOption},
          {"bitpulse sweep plan resnet18-arrays",
           "bitpulse sweep run resnet18-arrays --db arrays.db --jobs 2"},
          sweep};
}

}  // namespace bitpulse

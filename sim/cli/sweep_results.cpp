// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/json.h"
#include "models/text.h"
#include "sim/cli/sweep.h"
#include "sim/sweep/documents.h"
#include "sim/sweep/laws.h"
#include "sim/sweep/merge.h"
#include "sim/sweep/pareto.h"
#include "sim/sweep/plot.h"
#include "sim/sweep/store.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

/// The store of a sweep, which the action names by the sweep or by the database itself.
std::string store_named(const Arguments& arguments) {
  const std::string& name = arguments.positional().at(1);
  if (std::filesystem::path(name).extension() == ".db") return name;
  return store_path(arguments, load_sweep(name));
}

/// The rows of the sweep; numbers and objectives of another one would say something else.
///
/// errors  kInvalidInput: the store was last run for another sweep
std::vector<Row> results_of(const SweepSpec& spec, const Arguments& arguments) {
  const std::string path = store_path(arguments, spec);
  const SweepStore store(path, SweepStore::Mode::kRead);
  if (store.note("sweep") != sweep_text(spec)) {
    throw Error(ErrorKind::kInvalidInput,
                printable(path, 400) +
                    ": found the points of another sweep, or of this one before "
                    "it was changed, expected those of " +
                    printable(spec.file, 400) + "; sweep run takes over what is the same");
  }
  return store.rows();
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

int sweep_status(const Arguments& arguments) {
  const std::string path = store_named(arguments);
  const SweepStore store(path, SweepStore::Mode::kRead);
  const SweepStore::Counts counts = store.counts();
  const std::vector<std::pair<std::string, std::uint64_t>> reasons = store.failures();
  if (arguments.has("json")) {
    Json failures = Json::array();
    for (const auto& [why, points] : reasons) {
      failures.push_back({{"reason", why}, {"points", points}});
    }
    std::cout << Json({{"db", path},
                       {"done", counts.done},
                       {"failed", counts.failed},
                       {"verified", counts.verified},
                       {"of_other_sweeps", counts.elsewhere},
                       {"failures", std::move(failures)}})
                     .dump(2)
              << '\n';
    return 0;
  }
  std::cout << path << ": " << counts.done << " done, " << counts.failed << " failed, "
            << counts.verified << " verified";
  if (counts.elsewhere > 0) std::cout << ", " << counts.elsewhere << " of earlier sweeps";
  std::cout << '\n';
  const std::size_t limit = limit_of(arguments);
  for (std::size_t i = 0; i < reasons.size() && i < limit; ++i) {
    std::cout << "  " << reasons[i].second << " x " << printable(reasons[i].first, 400) << '\n';
  }
  if (reasons.size() > limit) {
    std::cout << "  and " << reasons.size() - limit << " more reasons (--limit)\n";
  }
  return 0;
}

int sweep_export(const Arguments& arguments) {
  const SweepStore store(store_named(arguments), SweepStore::Mode::kRead);
  std::cout << (arguments.has("json") ? points_json(store) : points_csv(store.rows()));
  return 0;
}

int sweep_pareto(const Arguments& arguments) {
  const SweepSpec spec = load_sweep(arguments.positional().at(1));
  const std::vector<Row> rows = results_of(spec, arguments);
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
  if (arguments.has("plot")) {
    write_file_atomically(arguments.text("plot"), front_svg(spec, rows, front));
  }
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
  Evaluator evaluator(load_evaluator(arguments));
  const std::vector<Row> rows = results_of(evaluator.spec(), arguments);
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

}  // namespace bitpulse

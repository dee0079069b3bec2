// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/run_of_point.h"

#include <filesystem>
#include <limits>

#include "models/error.h"
#include "models/io/json.h"
#include "sim/sweep/process.h"

namespace bitpulse {
namespace {

PointMetrics read(const JsonValue& report) {
  constexpr double kAny = std::numeric_limits<double>::max();
  const JsonValue totals = report.at("totals");
  const auto number = [&](const char* key) { return totals.at(key).number(0, kAny); };
  PointMetrics metrics;
  metrics.cycles = number("cycles");
  metrics.time_ms = number("time_ms");
  metrics.energy_pj = totals.at("energy_pj").at("total").number(0, kAny);
  metrics.area_mm2 = totals.at("area_um2").at("total").number(0, kAny) * 1e-6;
  metrics.edp = metrics.energy_pj * metrics.time_ms;
  metrics.utilization = number("utilization");
  metrics.array_utilization = number("array_utilization");
  metrics.gops = number("gops");
  metrics.macs = number("macs");
  metrics.dram_bytes = number("dram_read_bytes") + number("dram_write_bytes");
  if (const auto accuracy = report.find("accuracy")) {
    metrics.accuracy = accuracy->at("integer_top1").number(0, 1);
  }
  return metrics;
}

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

RunOfPoint::RunOfPoint(const Evaluator& evaluator, const Arguments& arguments, std::string engine,
                       double timeout_s)
    : evaluator_(evaluator), timeout_s_(timeout_s) {
  options_ = {"--json", "--threads", "1", "--engine", std::move(engine)};
  for (const char* option : {"max-memory", "cache"}) {
    if (!arguments.has(option)) continue;
    options_.push_back(std::string("--") + option);
    options_.push_back(arguments.text(option));
  }
  if (arguments.has("max-memory")) memory_mib_ = arguments.text("max-memory");
  if (evaluator.spec().images > 0) {
    options_.insert(options_.end(), {"--images", std::to_string(evaluator.spec().images)});
  }
}

PointMetrics RunOfPoint::operator()(std::uint64_t id) const {
  std::vector<std::string> words{std::filesystem::read_symlink("/proc/self/exe").string(), "run"};
  for (const std::string& word : evaluator_.run_words(id)) words.push_back(word);
  words.insert(words.end(), options_.begin(), options_.end());
  const ProcessOutcome outcome = run_process(words, timeout_s_);
  if (outcome.timed_out) {
    throw Error(ErrorKind::kCheckFailed, "gave no result within the time limit");
  }
  if (outcome.status != 0) {
    // Libraries that run out of memory crash in their own ways.
    throw Error(
        ErrorKind::kCheckFailed,
        (outcome.status > 128 ? "ended by " + signal_text(outcome.status - 128)
                              : last_line(outcome.err)) +
            (memory_mib_.empty() ? "" : "; its memory was limited to " + memory_mib_ + " MiB"));
  }
  return read(parse_json(outcome.out, "report"));
}

}  // namespace bitpulse

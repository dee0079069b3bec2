// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/spec.h"

#include <cmath>
#include <filesystem>
#include <set>

#include "models/error.h"
#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "models/text.h"
#include "sim/machine_reader.h"

namespace bitpulse {
namespace {

constexpr std::size_t kMaxNames = 1000, kMaxAxes = 16, kMaxKeys = 16, kMaxConstraints = 64;
constexpr std::int64_t kMaxValues = 10'000;
constexpr std::uint64_t kMaxGrid = std::uint64_t{1} << 53;  // ids are exact in every JSON reader
constexpr double kMaxValue = 1e12;

std::vector<JsonValue> items(const JsonValue& json, std::size_t min, std::size_t max) {
  if (!json.is_array() || json.size() < min || json.size() > max) {
    json.fail("an array of " + std::to_string(min) + " to " + std::to_string(max) + " elements");
  }
  std::vector<JsonValue> all;
  for (std::size_t i = 0; i < json.size(); ++i) all.push_back(json[i]);
  return all;
}

std::string nonempty(const JsonValue& json) {
  std::string text = json.text();
  if (text.empty()) json.fail("a text that is not empty");
  return text;
}

void read_files(const JsonValue& json, std::string_view kind, std::vector<std::string>& names,
                std::vector<std::string>& files) {
  const std::string folder = std::filesystem::path(json.file()).parent_path().string();
  std::set<std::string> seen;
  for (const JsonValue& item : items(json, 1, kMaxNames)) {
    names.push_back(nonempty(item));
    if (!seen.insert(names.back()).second) item.fail("each name once");
    try {
      files.push_back(find_file(names.back(), kind, folder));
    } catch (const Error& error) {
      item.fail_with(error);
    }
  }
}

SweepKey read_key(const JsonValue& json) {
  constexpr std::string_view kWorkload = "workload:/", kMachine = "machine:/";
  const std::string text = json.text();
  const bool in_workload = text.compare(0, kWorkload.size(), kWorkload) == 0;
  if (!in_workload && text.compare(0, kMachine.size(), kMachine) != 0) {
    json.fail("\"machine:/...\" or \"workload:/...\"");
  }
  SweepKey key{in_workload, text.substr(text.find('/'))};
  const std::string top = key.pointer.substr(1, key.pointer.find('/', 1) - 1);
  const auto& known = in_workload ? workload_keys() : machine_keys();
  for (const std::string_view name : known) {
    if (name == top && name != "schema" && name != "name") return key;
  }
  json.fail("a key that " + std::string(in_workload ? "workloads" : "machines") +
            " have: " + join(known));
}

std::string number_text(double value) {
  if (std::nearbyint(value) == value) return std::to_string(static_cast<std::int64_t>(value));
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

/// An object with numbers `from` and `to`, from <= to.
std::pair<double, double> read_limits(const JsonValue& json, double min) {
  const double from = json.at("from").number(min, kMaxValue);
  const JsonValue to = json.at("to");
  const double last = to.number(min, kMaxValue);
  if (last < from) to.fail("at least \"from\"");
  return {from, last};
}

std::vector<std::string> read_range(const JsonValue& json) {
  json.only_keys({"from", "to", "step"});
  const auto [from, to] = read_limits(json, -kMaxValue);
  const JsonValue step = json.at("step");
  const double by = step.number(1e-9, kMaxValue);
  // A step that misses `to` by rounding still reaches it.
  const double count = std::floor((to - from) / by * (1 + 1e-12) + 1e-9) + 1;
  if (count > static_cast<double>(kMaxValues)) step.fail("at most 10000 values");
  std::vector<std::string> values;
  for (int i = 0; i < static_cast<int>(count); ++i) values.push_back(number_text(from + i * by));
  return values;
}

std::vector<std::string> read_powers(const JsonValue& json) {
  json.only_keys({"from", "to"});
  const std::int64_t from = json.at("from").integer(1, std::int64_t{1} << 40);
  const JsonValue to = json.at("to");
  const std::int64_t last = to.integer(1, std::int64_t{1} << 40);
  if ((from & (from - 1)) != 0) json.at("from").fail("a power of two");
  if (last < from) to.fail("at least \"from\"");
  std::vector<std::string> values;
  for (std::int64_t value = from; value <= last; value *= 2)
    values.push_back(std::to_string(value));
  return values;
}

/// `steps` values from `from` to `to` in equal ratios, rounded to integers unless "integer" is
/// false; what rounding makes equal stands once.
std::vector<std::string> read_log(const JsonValue& json) {
  json.only_keys({"from", "to", "steps", "integer"});
  const auto [from, to] = read_limits(json, 1e-9);
  const std::int64_t steps = json.at("steps").integer(2, kMaxValues);
  const auto integer = json.find("integer");
  const bool round = !integer || integer->boolean();
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(steps - 1);
    const double value = from * std::pow(to / from, at);
    std::string text = number_text(round ? std::nearbyint(value) : value);
    if (values.empty() || values.back() != text) values.push_back(std::move(text));
  }
  return values;
}

std::vector<std::string> read_values(const JsonValue& json) {
  std::vector<std::string> values;
  std::set<std::string> seen;
  for (const JsonValue& item : items(json, 1, static_cast<std::size_t>(kMaxValues))) {
    values.push_back(item.raw_text());
    if (!seen.insert(values.back()).second) item.fail("each value once");
  }
  return values;
}

SweepAxis read_axis(const JsonValue& json) {
  json.only_keys({"keys", "values", "range", "powers_of_two", "log"});
  SweepAxis axis;
  for (const JsonValue& key : items(json.at("keys"), 1, kMaxKeys)) {
    axis.keys.push_back(read_key(key));
  }
  struct Form {
    const char* key;
    std::vector<std::string> (*read)(const JsonValue&);
  };
  int forms = 0;
  for (const Form form : {Form{"values", read_values}, Form{"range", read_range},
                          Form{"powers_of_two", read_powers}, Form{"log", read_log}}) {
    if (const auto value = json.find(form.key)) {
      axis.values = form.read(*value);
      ++forms;
    }
  }
  if (forms != 1) json.fail("one of \"values\", \"range\", \"powers_of_two\", \"log\"");
  return axis;
}

std::vector<SweepAxis> read_axes(const JsonValue& json) {
  std::vector<SweepAxis> axes;
  std::set<std::string> seen;
  for (const JsonValue& item : items(json, 0, kMaxAxes)) {
    axes.push_back(read_axis(item));
    for (const SweepKey& key : axes.back().keys) {
      if (!seen.insert(key.text()).second) item.at("keys").fail("each key once in all axes");
    }
  }
  return axes;
}

SweepStrategy read_strategy(const JsonValue& json) {
  SweepStrategy strategy;
  strategy.kind = static_cast<StrategyKind>(
      json.at("name").choice({"grid", "random", "latin_hypercube", "sobol", "nsga2"}));
  if (const auto seed = json.find("seed")) {
    strategy.seed = static_cast<std::uint64_t>(seed->integer(0, (std::int64_t{1} << 31) - 1));
  }
  if (strategy.kind == StrategyKind::kGrid) {
    json.only_keys({"name"});
  } else if (strategy.kind == StrategyKind::kNsga2) {
    json.only_keys({"name", "seed", "population", "generations"});
    const JsonValue population = json.at("population");
    strategy.population = population.integer(8, 10'000);
    if (strategy.population % 4 != 0) population.fail("a multiple of 4");
    strategy.generations = json.at("generations").integer(1, 10'000);
  } else {
    json.only_keys({"name", "seed", "points"});
    strategy.points = json.at("points").integer(1, kMaxSweepPoints);
  }
  return strategy;
}

std::vector<Objective> read_objectives(const JsonValue& json) {
  std::vector<Objective> objectives;
  for (const JsonValue& item : items(json, 1, std::size(kObjectiveNames))) {
    objectives.push_back(static_cast<Objective>(item.choice(
        std::vector<std::string_view>(std::begin(kObjectiveNames), std::end(kObjectiveNames)))));
    for (std::size_t i = 0; i + 1 < objectives.size(); ++i) {
      if (objectives[i] == objectives.back()) item.fail("each objective once");
    }
  }
  return objectives;
}

}  // namespace

std::vector<std::uint64_t> SweepSpec::sizes() const {
  std::vector<std::uint64_t> all{workloads.size(), machines.size()};
  for (const SweepAxis& axis : axes) all.push_back(axis.values.size());
  return all;
}

std::uint64_t SweepSpec::grid_points() const {
  std::uint64_t count = 1;
  for (const std::uint64_t size : sizes()) count *= size;
  return count;
}

std::vector<std::uint32_t> SweepSpec::choices(std::uint64_t id) const {
  const std::vector<std::uint64_t> radix = sizes();
  std::vector<std::uint32_t> digits(radix.size());
  for (std::size_t i = radix.size(); i-- > 0; id /= radix[i]) {
    digits[i] = static_cast<std::uint32_t>(id % radix[i]);
  }
  return digits;
}

std::uint64_t SweepSpec::id_of(const std::vector<std::uint32_t>& digits) const {
  const std::vector<std::uint64_t> radix = sizes();
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < radix.size(); ++i) id = id * radix[i] + digits[i];
  return id;
}

SweepSpec read_sweep(const JsonValue& root) {
  root.require_schema("bitpulse/sweep/1");
  root.only_keys({"schema", "name", "workloads", "machines", "axes", "constraints", "objectives",
                  "strategy", "engine", "verify", "images"});
  SweepSpec spec;
  spec.file = root.file();
  spec.name = nonempty(root.at("name"));
  read_files(root.at("workloads"), "", spec.workloads, spec.workload_files);
  read_files(root.at("machines"), "machines", spec.machines, spec.machine_files);
  if (const auto axes = root.find("axes")) spec.axes = read_axes(*axes);
  if (const auto constraints = root.find("constraints")) {
    for (const JsonValue& item : items(*constraints, 0, kMaxConstraints)) {
      spec.constraints.push_back(nonempty(item));
    }
  }
  spec.objectives = read_objectives(root.at("objectives"));
  if (const auto strategy = root.find("strategy")) spec.strategy = read_strategy(*strategy);
  constexpr const char* kEngines[] = {"fast", "systemc", "rtl"};
  if (const auto engine = root.find("engine")) {
    spec.engine = kEngines[engine->choice({"fast", "systemc", "rtl"})];
  }
  if (const auto verify = root.find("verify")) {
    spec.verify = kEngines[1 + verify->choice({"systemc", "rtl"})];
  }
  if (const auto images = root.find("images")) spec.images = images->integer(1, 1'000'000);
  for (const Objective objective : spec.objectives) {
    if (objective == Objective::kAccuracy && spec.images == 0) {
      root.at("objectives").fail("\"images\" beside the objective accuracy");
    }
  }
  double grid = 1;
  for (const std::uint64_t size : spec.sizes()) grid *= static_cast<double>(size);
  const bool whole = spec.strategy.kind == StrategyKind::kGrid;
  if (grid > static_cast<double>(whole ? kMaxSweepPoints : kMaxGrid)) {
    throw Error(ErrorKind::kLimit, printable(spec.file, 400) + ": found a grid of " +
                                       number_text(std::min(grid, 9e18)) +
                                       " points, expected at most " +
                                       std::to_string(whole ? kMaxSweepPoints : kMaxGrid));
  }
  return spec;
}

}  // namespace bitpulse

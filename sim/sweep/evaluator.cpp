// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/evaluator.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/sha256.h"
#include "models/io/workload_reader.h"
#include "quant/lower.h"
#include "sim/energy/energy.h"
#include "sim/energy/technology.h"
#include "sim/fast/command_counters.h"
#include "sim/fast/fast_engine.h"
#include "sim/machine_reader.h"
#include "sim/report/build_info.h"
#include "sim/schedule/compile.h"
#include "sim/sweep/constraints.h"
#include "sim/sweep/once.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxVariants = 256;  // documents and lowered networks held at a time
constexpr std::size_t kMaxRuns = 32;       // reports; neighbours ask for the same

template <class Map>
double total(const Map& parts) {
  double sum = 0;
  for (const auto& [component, quantity] : parts) sum += quantity.value;
  return sum;
}

void append(std::vector<std::string>& files, const std::vector<std::string>& more) {
  files.insert(files.end(), more.begin(), more.end());
}

/// A key whose value may be, or decide on, a path.
bool may_name_a_file(const SweepKey& key) {
  const auto under = [&](const std::string& place) {
    return key.pointer.compare(0, place.size(), place) == 0;
  };
  return key.in_workload
             ? under("/network") || under("/weights") || under("/data") || under("/quantization")
             : under("/technology") || key.pointer == "/dram" || under("/dram/model") ||
                   under("/dram/timing");
}

bool leaves_bits_open(const JsonValue& workload) {
  const auto quantization = workload.find("quantization");
  return quantization && quantization->find("bits").has_value();
}

/// A key that programs do not depend on, and times, counted in cycles, neither where memory is
/// `fixed`: its latency and bandwidth are in cycles, too.
bool leaves_cycles_alone(const SweepKey& key) {
  return !key.in_workload && (key.pointer == "/clock_mhz" || key.pointer == "/technology");
}

/// A run on `fast`; with `fixed` memory what it would count, without its commands.
Report run_point(const IntegerNetwork& network, std::int64_t batch, const Machine& machine) {
  const CompileOptions options{batch, 0, -1};
  if (machine.dram.model == DramModel::kFixed) {
    CountedRun run = count_run(network, machine, options, FastEngine::timer, count_command);
    check_identities(run.program, run.layers, run.dram_bytes, run.timeline);
    return make_report(machine, std::move(run.program.layers), std::move(run.layers), run.timeline);
  }
  const Program program = compile(network, machine, options, FastEngine::timer);
  const RunResult result = FastEngine().run(program);
  const Timeline timeline = account(program, result.times);
  check_identities(program, result, timeline);
  return make_report(machine, program.layers, result.layers, timeline);
}

}  // namespace

struct Evaluator::WorkloadVariant {
  Workload workload;
  IntegerNetwork network;
};

Evaluator::Evaluator(const SweepSpec& spec, std::shared_ptr<BitChooser> chooser)
    : spec_(spec),
      constraints_(std::make_unique<Constraints>(spec.constraints, spec.file)),
      chooser_(std::move(chooser)) {
  for (const std::string& file : spec.workload_files) {
    workload_documents_.push_back(load_json(file));
  }
  for (const std::string& file : spec.machine_files) machine_documents_.push_back(load_json(file));
  const BuildInfo build = build_info();
  model_version_ = build.version + " " + build.commit;
  for (const Objective objective : spec.objectives) {
    accuracy_competes_ = accuracy_competes_ || objective == Objective::kAccuracy;
  }
  for (const SweepAxis& axis : spec.axes) {
    may_share_ = may_share_ || (spec.in_threads() && std::all_of(axis.keys.begin(), axis.keys.end(),
                                                                 leaves_cycles_alone));
  }
}

Evaluator::~Evaluator() = default;

std::vector<JsonOverride> Evaluator::overrides(const Choices& choices, bool in_workload) const {
  std::vector<JsonOverride> all;
  for (std::size_t a = 0; a < spec_.axes.size(); ++a) {
    const SweepAxis& axis = spec_.axes[a];
    for (const SweepKey& key : axis.keys) {
      if (key.in_workload == in_workload) {
        all.push_back({key.pointer, axis.values[choices[2 + a]]});
      }
    }
  }
  return all;
}

template <class IsSuch>
Evaluator::Choices Evaluator::without(const Choices& choices, const IsSuch& is_such) const {
  Choices left = choices;
  for (std::size_t a = 0; a < spec_.axes.size(); ++a) {
    const std::vector<SweepKey>& keys = spec_.axes[a].keys;
    if (std::all_of(keys.begin(), keys.end(), is_such)) left[2 + a] = 0;
  }
  return left;
}

Evaluator::Choices Evaluator::those_of(const Choices& choices, bool in_workload) const {
  Choices of_it =
      without(choices, [&](const SweepKey& key) { return key.in_workload != in_workload; });
  of_it[in_workload ? 1 : 0] = 0;
  return of_it;
}

std::uint64_t Evaluator::sharing(std::uint64_t id) const {
  return may_share_ ? spec_.id_of(without(spec_.choices(id), leaves_cycles_alone)) : id;
}

std::shared_ptr<const Evaluator::Effective> Evaluator::effective(const Choices& choices,
                                                                 bool in_workload) {
  return once(
      mutex_, in_workload ? effective_workloads_ : effective_machines_,
      those_of(choices, in_workload),
      [&] {
        const JsonValue& written =
            in_workload ? workload_documents_[choices[0]] : machine_documents_[choices[1]];
        const std::vector<JsonOverride> changes = overrides(choices, in_workload);
        const JsonValue document = changes.empty() ? written : override_json(written, changes);
        return std::make_shared<const Effective>(
            Effective{document, document.raw_text(), in_workload && leaves_bits_open(document)});
      },
      kMaxVariants);
}

std::shared_ptr<const Technology> Evaluator::technology(const std::string& file) {
  return once(
      mutex_, technologies_, file,
      [&] { return std::make_shared<const Technology>(load_technology(file)); }, kMaxVariants);
}

BitChooser::Input Evaluator::workload_input(const Choices& choices) {
  const JsonValue& document = effective(choices, true)->document;
  return {document, read_workload(document), overrides(choices, true)};
}

BitChooser& Evaluator::chooser(const BitChooser::Input& input) const {
  if (chooser_) return *chooser_;
  input.document.at("quantization").at("bits").fail("\"weights\" and \"activations\"");
}

std::shared_ptr<const Evaluator::WorkloadVariant> Evaluator::workload(const Choices& choices) {
  // Open bits are the machine's choice, too.
  const bool open = effective(choices, true)->leaves_bits_open;
  return once(
      mutex_, workloads_, open ? choices : those_of(choices, true),
      [&] {
        BitChooser::Input input = workload_input(choices);
        auto variant = std::make_shared<WorkloadVariant>();
        variant->workload = open ? chooser(input).choose(input, machine(choices)->machine,
                                                         effective(choices, false)->text)
                                 : std::move(input.workload);
        variant->network = lower(variant->workload);
        return variant;
      },
      kMaxVariants);
}

std::shared_ptr<const Evaluator::MachineVariant> Evaluator::machine(const Choices& choices) {
  return once(
      mutex_, machines_, those_of(choices, false),
      [&] {
        auto variant = std::make_shared<MachineVariant>();
        variant->machine = read_machine(effective(choices, false)->document);
        variant->technology = technology(variant->machine.technology);
        return variant;
      },
      kMaxVariants);
}

PointIdentity Evaluator::identify(std::uint64_t id) {
  const Choices choices = spec_.choices(id);
  const JsonValue& workload_document = workload_documents_[choices[0]];
  PointIdentity point;
  point.id = id;
  point.workload = spec_.workloads[choices[0]];
  point.machine = spec_.machines[choices[1]];
  point.scope = point.workload;
  point.parameters = "{";
  for (std::size_t a = 0; a < spec_.axes.size(); ++a) {
    const SweepAxis& axis = spec_.axes[a];
    const std::string& value = axis.values[choices[2 + a]];
    for (const SweepKey& key : axis.keys) {
      if (point.parameters.size() > 1) point.parameters += ',';
      point.parameters += Json(key.text()).dump() + ":" + value;
      if (key.in_workload) point.scope += " " + key.pointer + "=" + value;
    }
  }
  point.parameters += "}";
  if (accuracy_competes_ && workload_document.at("network").is_string()) {
    point.scope = workload_document.at("network").text();  // so do the widths of one network
  }
  point.key = sha256_of_text(model_version_ + "\n" + spec_.engine + "\n" +
                             std::to_string(spec_.images) + "\n" + effective(choices, true)->text +
                             "\n" + effective(choices, false)->text + "\n" + file_digests(choices));
  return point;
}

/// Digests of the files that the point's documents name. Few axes can change which they are, so the
/// documents are read once for each choice along those.
std::string Evaluator::file_digests(const Choices& choices) {
  const auto names_no_file = [](const SweepKey& key) { return !may_name_a_file(key); };
  return *once(
      mutex_, digests_, without(choices, names_no_file),
      [&] { return std::make_shared<const std::string>(digests_of(choices)); }, kMaxVariants);
}

std::string Evaluator::digests_of(const Choices& choices) {
  std::string text;
  const BitChooser::Input input = workload_input(choices);
  std::vector<std::string> files{input.workload.network_path};
  const bool with_values = !spec_.in_threads();
  if (with_values) append(files, data_files(input.workload));
  if (input.workload.quantization.auto_bits) append(files, chooser(input).files(input));
  for (const std::string& file : files) {
    if (!file.empty()) text += sha256_of_path(file) + "\n";
  }
  const Machine machine = read_machine(effective(choices, false)->document);
  text += sha256_of_path(technology(machine.technology)->file) + "\n";
  if (machine.dram.model == DramModel::kBanked) text += sha256_of_path(machine.dram.timing.file);
  return text;
}

std::string Evaluator::refusal(std::uint64_t id) {
  const Choices choices = spec_.choices(id);
  try {
    const auto variant = machine(choices);
    const double area_mm2 = total(area(variant->machine, *variant->technology).area) * 1e-6;
    const auto lowered = workload(choices);
    const std::string broken =
        constraints_->violated(variant->machine, lowered->workload, area_mm2);
    return broken.empty() ? "" : "constraint: " + broken;
  } catch (const Error& error) {
    return error.what();
  }
}

std::shared_ptr<const Report> Evaluator::unpriced(const Choices& choices,
                                                  const MachineVariant& variant) {
  const auto lowered = workload(choices);
  const auto run = [&] {
    return std::make_shared<const Report>(
        run_point(lowered->network, lowered->workload.batch, variant.machine));
  };
  const bool shares = may_share_ && variant.machine.dram.model == DramModel::kFixed &&
                      !effective(choices, true)->leaves_bits_open;
  if (!shares) return run();
  return once(mutex_, runs_, without(choices, leaves_cycles_alone), run, kMaxRuns);
}

Report Evaluator::report(std::uint64_t id) {
  const Choices choices = spec_.choices(id);
  const auto variant = machine(choices);
  Report report = *unpriced(choices, *variant);
  price_report(report, variant->machine, *variant->technology);
  return report;
}

PointMetrics Evaluator::evaluate(std::uint64_t id) {
  const Choices choices = spec_.choices(id);
  const auto variant = machine(choices);
  const Totals totals =
      priced_totals(*unpriced(choices, *variant), variant->machine, *variant->technology);
  PointMetrics metrics;
  metrics.cycles = static_cast<double>(totals.cycles);
  metrics.time_ms = totals.time_ms;
  metrics.energy_pj = total(totals.energy);
  metrics.area_mm2 = total(totals.area) * 1e-6;
  metrics.edp = metrics.energy_pj * metrics.time_ms;
  metrics.utilization = totals.utilization;
  metrics.array_utilization = totals.array_utilization;
  metrics.gops = totals.gops;
  metrics.macs = static_cast<double>(totals.macs);
  metrics.dram_bytes =
      static_cast<double>(totals.counters.dram_read_bytes + totals.counters.dram_write_bytes);
  return metrics;
}

std::vector<std::string> Evaluator::run_words(std::uint64_t id) const {
  const Choices choices = spec_.choices(id);
  std::vector<std::string> words{spec_.workload_files[choices[0]], "--machine",
                                 spec_.machine_files[choices[1]]};
  for (const bool in_workload : {true, false}) {
    for (const JsonOverride& change : overrides(choices, in_workload)) {
      words.push_back("--set");
      words.push_back((in_workload ? "workload:" : "machine:") + change.pointer + "=" +
                      change.value);
    }
  }
  return words;
}

}  // namespace bitpulse

// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/inputs.h"

#include <algorithm>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "models/text.h"
#include "quant/float/float_executor.h"
#include "quant/integer/network_io.h"
#include "quant/lower.h"
#include "sim/cli/allocation.h"
#include "sim/cli/deploy.h"
#include "sim/machine_reader.h"

namespace bitpulse {
namespace {

constexpr std::string_view kWorkloadPrefix = "workload:";
constexpr std::string_view kMachinePrefix = "machine:";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

enum class Target { kWorkload, kMachine };

/// The document whose keys begin the pointer.
Target choose(const std::string& pointer) {
  const std::string key = pointer.substr(1, pointer.find('/', 1) - 1);
  const auto has = [&key](const std::vector<std::string_view>& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  const bool in_workload = has(workload_keys()), in_machine = has(machine_keys());
  if (in_workload != in_machine) return in_workload ? Target::kWorkload : Target::kMachine;
  if (in_workload) {
    throw Error(ErrorKind::kUsage, "--set " + pointer +
                                       ": workload and machine both have it; write "
                                       "--set workload:" +
                                       pointer + "=... or --set machine:" + pointer + "=...");
  }
  std::vector<std::string_view> known = workload_keys();
  known.insert(known.end(), machine_keys().begin(), machine_keys().end());
  throw Error(ErrorKind::kUsage, "--set " + printable(pointer) +
                                     ": neither workload nor machine has it" +
                                     did_you_mean(key, known));
}

struct Overrides {
  std::vector<JsonOverride> workload, machine;
};

Overrides assign(const std::vector<std::string>& sets, bool has_machine) {
  Overrides overrides;
  for (const std::string& set : sets) {
    std::string_view rest = set;
    std::optional<Target> target;
    if (starts_with(rest, kWorkloadPrefix)) {
      target = Target::kWorkload;
      rest.remove_prefix(kWorkloadPrefix.size());
    } else if (starts_with(rest, kMachinePrefix)) {
      target = Target::kMachine;
      rest.remove_prefix(kMachinePrefix.size());
    }
    const std::size_t equals = rest.find('=');
    if (!starts_with(rest, "/") || equals == std::string_view::npos) {
      throw Error(ErrorKind::kUsage, "--set: found \"" + set +
                                         "\", expected /pointer=value, workload:/pointer=value or "
                                         "machine:/pointer=value");
    }
    const JsonOverride assignment{std::string(rest.substr(0, equals)),
                                  std::string(rest.substr(equals + 1))};
    if (!target) {
      target = has_machine ? choose(assignment.pointer) : Target::kWorkload;
    }
    if (target == Target::kMachine && !has_machine) {
      throw Error(ErrorKind::kUsage, "--set " + set + ": no machine is given (--machine)");
    }
    (target == Target::kWorkload ? overrides.workload : overrides.machine).push_back(assignment);
  }
  return overrides;
}

}  // namespace

Inputs read_inputs(const std::string& workload_name, const std::string& machine_name,
                   const std::vector<std::string>& sets) {
  Inputs inputs = read_inputs_as_written(workload_name, machine_name, sets);
  const std::vector<std::string> read =
      choose_bits(inputs.workload, inputs.machine ? &inputs.machine->machine : nullptr);
  inputs.files.insert(inputs.files.end(), read.begin(), read.end());
  return inputs;
}

std::vector<std::string> choose_bits(WorkloadInput& input, const Machine* machine) {
  if (!input.workload.quantization.auto_bits) return {};
  const WorkloadAllocator source(input, machine);
  try {
    input.allocation = source.allocator()(input.workload.quantization.auto_bits->budget);
  } catch (const Error& error) {
    input.document.at("quantization").at("bits").at("budget").fail_with(error);
  }
  input.workload = source.allocator().apply(*input.allocation);
  return source.files();
}

Inputs read_inputs_as_written(const std::string& workload_name, const std::string& machine_name,
                              const std::vector<std::string>& sets) {
  std::vector<std::string> files{find_file(workload_name, "")};
  JsonValue workload = load_json(files.back());
  std::optional<JsonValue> machine;
  if (!machine_name.empty()) {
    files.push_back(find_file(machine_name, "machines"));
    machine = load_json(files.back());
  }
  const Overrides overrides = assign(sets, machine.has_value());
  if (!overrides.workload.empty()) workload = override_json(workload, overrides.workload);
  if (machine && !overrides.machine.empty()) {
    machine = override_json(*machine, overrides.machine);
  }
  std::optional<MachineInput> machine_input;
  if (machine) machine_input = MachineInput{*machine, read_machine(*machine)};
  WorkloadInput workload_input{workload, read_workload(workload), overrides.workload};
  const std::string& network = workload_input.workload.network_path;
  if (!network.empty()) files.push_back(network);
  return {std::move(workload_input), std::move(machine_input), std::move(files)};
}

IntegerNetwork structure_of(const WorkloadInput& input) {
  try {
    return lower(input.workload);
  } catch (const Error& error) {
    throw Error(error.kind(), printable(input.document.file(), 400) + ": " + error.what());
  }
}

void check_files(const WorkloadInput& input) {
  const Workload& workload = input.workload;
  const auto check = [&](const char* object, const char* key, const auto& read) {
    const JsonValue parent = *object == '\0' ? input.document : input.document.at(object);
    try {
      read();
    } catch (const Error& error) {
      parent.at(key).fail_with(error);
    }
  };
  if (!workload.weights_path.empty()) {
    check("", workload.weights_path == workload.network_path ? "network" : "weights", [&] {
      const Weights weights = read_weights(workload.weights_path);
      FloatExecutor(workload.graph, weights, 1);  // refuses what does not fit
    });
  }
  if (!workload.data.test.empty()) {
    check("data", "test", [&] { load_images(workload, Split::kTest, 1); });
  }
  if (!workload.data.train.empty()) {
    check("data", "train", [&] { load_images(workload, Split::kTrain, 1); });
  }
  const QuantizationSpec& spec = workload.quantization;
  if (!spec.frozen_scales.empty()) {
    check("quantization", "frozen_scales", [&] { load_network(spec.frozen_scales); });
  }
  if (!spec.integers.empty()) {
    check("quantization", "integers", [&] { load_network(spec.integers); });
  }
}

}  // namespace bitpulse

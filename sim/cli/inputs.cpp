// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/inputs.h"

#include <charconv>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "models/text.h"
#include "quant/float/float_executor.h"
#include "quant/integer/network_io.h"
#include "quant/lower.h"
#include "sim/cli/deploy.h"
#include "sim/machine_reader.h"

namespace bitpulse {
namespace {

constexpr std::string_view kWorkloadPrefix = "workload:";
constexpr std::string_view kMachinePrefix = "machine:";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// One step of a JSON pointer with its escapes undone (~1 is '/', ~0 is '~').
std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    if (escape && token[i + 1] == '1') {
      text += '/', ++i;
    } else if (escape && token[i + 1] == '0') {
      text += '~', ++i;
    } else {
      text += token[i];
    }
  }
  return text;
}

bool has_pointer(JsonValue value, std::string_view pointer) {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string step = unescaped(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (value.is_object() && value.has(step)) {
      value = value.at(step);
    } else if (value.is_array()) {
      std::size_t index = 0;
      const auto parsed = std::from_chars(step.data(), step.data() + step.size(), index);
      if (parsed.ec != std::errc() || parsed.ptr != step.data() + step.size() ||
          index >= value.size()) {
        return false;
      }
      value = value[index];
    } else {
      return false;
    }
  }
  return true;
}

enum class Target { kWorkload, kMachine };

Target choose(const std::string& pointer, const JsonValue& workload, const JsonValue& machine) {
  const std::string parent = pointer.substr(0, pointer.rfind('/'));
  for (const std::string& place : {pointer, parent}) {
    const bool in_workload = has_pointer(workload, place);
    const bool in_machine = has_pointer(machine, place);
    if (in_workload != in_machine) return in_workload ? Target::kWorkload : Target::kMachine;
    if (in_workload) break;
  }
  throw Error(ErrorKind::kUsage, "--set " + pointer +
                                     ": workload and machine may both be meant, or neither; write "
                                     "--set workload:" +
                                     pointer + "=... or --set machine:" + pointer + "=...");
}

struct Overrides {
  std::vector<JsonOverride> workload, machine;
};

Overrides assign(const std::vector<std::string>& sets, const JsonValue& workload,
                 const std::optional<JsonValue>& machine) {
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
      target = machine ? choose(assignment.pointer, workload, *machine) : Target::kWorkload;
    }
    if (target == Target::kMachine && !machine) {
      throw Error(ErrorKind::kUsage, "--set " + set + ": no machine is given (--machine)");
    }
    (target == Target::kWorkload ? overrides.workload : overrides.machine).push_back(assignment);
  }
  return overrides;
}

}  // namespace

Inputs read_inputs(const std::string& workload_name, const std::string& machine_name,
                   const std::vector<std::string>& sets) {
  std::vector<std::string> files{find_file(workload_name, "")};
  JsonValue workload = load_json(files.back());
  std::optional<JsonValue> machine;
  if (!machine_name.empty()) {
    files.push_back(find_file(machine_name, "machines"));
    machine = load_json(files.back());
  }
  const Overrides overrides = assign(sets, workload, machine);
  if (!overrides.workload.empty()) workload = override_json(workload, overrides.workload);
  if (machine && !overrides.machine.empty()) {
    machine = override_json(*machine, overrides.machine);
  }
  std::optional<MachineInput> machine_input;
  if (machine) machine_input = MachineInput{*machine, read_machine(*machine)};
  return {{workload, read_workload(workload), overrides.workload},
          std::move(machine_input),
          std::move(files)};
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
    check("", "weights", [&] {
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

// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "sim/allocate/documents.h"
#include "sim/cli/allocation.h"
#include "sim/cli/chosen_workload.h"
#include "sim/cli/command.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kBudgetNames[] = {"size", "bops", "latency", "energy"};

/// Where a front is: the index of the resource.
std::size_t resource_of(const Arguments& arguments, bool on_machine) {
  const std::string name = arguments.text("over", on_machine ? "latency" : "size");
  for (std::size_t i = 0; i < std::size(kBudgetNames); ++i) {
    if (name != kBudgetNames[i]) continue;
    if (i < 2 || on_machine) return i;
    throw Error(ErrorKind::kUsage, "--over " + name + ": needs a machine (--machine)");
  }
  throw Error(ErrorKind::kUsage,
              "--over: found \"" + name + "\", expected size, bops, latency or energy");
}

int allocate(const Arguments& arguments) {
  limit_memory(arguments);
  const Inputs inputs = read_inputs_as_written(arguments.positional().front(),
                                               arguments.text("machine"), arguments.all("set"));
  const WorkloadInput& input = inputs.workload;
  const std::optional<AutoBits>& bits = input.workload.quantization.auto_bits;
  if (!bits) {
    input.document.at("quantization").fail("\"bits\": {\"auto\": \"hawq\", ...}");
  }
  const WorkloadAllocator source(input, inputs.machine ? &inputs.machine->machine : nullptr);
  const bool on_machine = inputs.machine || !bits->machine.empty();
  if (arguments.has("front")) {
    const auto points = static_cast<int>(arguments.integer("front", 0, 1, 1000));
    const auto front = source.allocator().front(resource_of(arguments, on_machine), points);
    if (!arguments.has("json")) {
      std::cout << front_csv(front);
      return 0;
    }
    Json all = Json::array();
    for (const Allocation& allocation : front) all.push_back(allocation_json(allocation));
    std::cout << all.dump(2) << '\n';
    return 0;
  }
  std::optional<Allocation> allocation;
  try {
    allocation = source.allocator()(bits->budget);
  } catch (const Error& error) {
    input.document.at("quantization").at("bits").at("budget").fail_with(error);
  }
  if (arguments.has("out")) write_chosen_workload(input, *allocation, arguments.text("out"));
  if (arguments.has("json")) {
    std::cout << allocation_json(*allocation).dump(2) << '\n';
  } else {
    std::cout << allocation_table(*allocation);
  }
  return 0;
}

}  // namespace

Subcommand allocate_command() {
  return {"allocate",
          "WORKLOAD [--machine MACHINE] [options]",
          "Chooses bits by HAWQ-V3's integer program and says why.\n"
          "The workload says \"bits\": {\"auto\": \"hawq\", \"budget\": {...}}; `run` and the\n"
          "others choose the same bits by themselves. Without \"sensitivity\": FILE beside\n"
          "the budget, sensitivities are estimated once and kept in the cache.",
          1,
          1,
          {{"machine", "MACHINE", "whose latency and energy count"},
           {"out", "FILE", "write the workload with the chosen bits as numbers"},
           {"front", "N", "N choices between the cheapest and the dearest, as CSV"},
           {"over", "RESOURCE", "of the front: size, bops, latency (default) or energy"},
           kSetOption,
           kMemoryOption,
           kJsonOption},
          {"bitpulse allocate mine.json --machine fused-16x32-ws",
           "bitpulse allocate mine.json --machine fused-16x32-ws --front 20 --over energy"},
          allocate};
}

}  // namespace bitpulse

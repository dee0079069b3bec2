// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "quant/integer/network_io.h"
#include "sim/cli/chosen_workload.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"
#include "sim/cli/signals.h"
#include "sim/cli/training.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"

namespace bitpulse {
namespace {

/// Where bits had to be chosen: the workload with them as numbers, beside its integers to be.
std::string write_chosen(const WorkloadInput& input, const std::string& out) {
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) throw Error(ErrorKind::kIo, out + ": cannot be made: " + error.message());
  const std::string path = out + "/chosen.json";
  write_chosen_workload(input, *input.allocation, path, ".");
  return path;
}

/// Learns the workload's weights and steps into the output folder; returns the trainer's status.
///
/// chosen  the workload with its bits chosen and overrides applied; "": nothing was to be chosen
int train(const Inputs& inputs, const std::string& chosen, const Arguments& arguments) {
  std::vector<std::string> words{chosen.empty() ? inputs.files.front() : chosen, "--out",
                                 arguments.text("out")};
  if (chosen.empty()) {
    for (const JsonOverride& override : inputs.workload.overrides) {
      words.insert(words.end(), {"--set", override.pointer + '=' + override.value});
    }
  }
  words.insert(words.end(), {"--threads", std::to_string(thread_count(arguments))});
  for (const char* option : {"device", "max-seconds"}) {
    if (!arguments.has(option)) continue;
    words.insert(words.end(), {std::string("--") + option, arguments.text(option)});
  }
  return run_trainer(words);
}

int quantize_network(const Arguments& arguments) {
  limit_memory(arguments);
  const int threads = thread_count(arguments);
  if (!arguments.has("out")) throw Error(ErrorKind::kUsage, "quantize: --out is missing");
  const std::string out = arguments.text("out");
  const Inputs inputs =
      read_inputs(arguments.positional().front(), arguments.text("machine"), arguments.all("set"));
  const Workload& workload = inputs.workload.workload;
  const IntegerNetwork structure = structure_of(inputs.workload);
  if (inputs.machine) {  // refuses what does not fit before any work
    compile(structure, inputs.machine->machine, {}, FastEngine::timer);
  }
  const bool learns = workload.quantization.learns;
  const std::string chosen = inputs.workload.allocation ? write_chosen(inputs.workload, out) : "";
  if (const int status = learns ? train(inputs, chosen, arguments) : 0) return status;
  Progress progress;
  const IntegerNetwork network =
      learns ? quantize(workload, read_weights(out + "/model.safetensors"), threads)
             : deploy(workload, threads, progress).network;

  const auto lock = commit_lock();
  save_network(network, out);
  std::cout << out << "/network.json\n" << out << "/tensors.safetensors\n";
  if (!chosen.empty()) std::cout << chosen << '\n';
  std::cout << std::flush;
  return 0;
}

}  // namespace

Subcommand quantize_command() {
  return {"quantize",
          "WORKLOAD --out DIR [options]",
          "Writes a network's integers; methods that learn train first.\n"
          "Bits left open (\"bits\": {\"auto\": \"hawq\", ...}) are chosen before that, and\n"
          "DIR/chosen.json is the workload with them as numbers and with these integers.",
          1,
          1,
          {{"machine", "MACHINE", "refuse a network this machine cannot round or hold"},
           {"out", "DIR", "folder to write into"},
           {"device", "cpu|cuda", "where to train (default: cpu)"},
           {"max-seconds", "S", "end training after S seconds: status 75, run again"},
           kSetOption,
           kThreadsOption,
           kMemoryOption},
          {"bitpulse quantize resnet20-cifar-w8a8 --out out/resnet20",
           "bitpulse quantize resnet18-w4a4-mixed --set /quantization/weights=2 --out out"},
          quantize_network};
}

}  // namespace bitpulse

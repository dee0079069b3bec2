// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "models/error.h"
#include "quant/integer/network_io.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"
#include "sim/cli/signals.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"

namespace bitpulse {
namespace {

int quantize(const Arguments& arguments) {
  limit_memory(arguments);
  const int threads = thread_count(arguments);
  if (!arguments.has("out")) throw Error(ErrorKind::kUsage, "quantize: --out is missing");
  const std::string out = arguments.text("out");
  const Inputs inputs =
      read_inputs(arguments.positional().front(), arguments.text("machine"), arguments.all("set"));
  const Workload& workload = inputs.workload.workload;
  Progress progress;
  const IntegerNetwork structure = structure_of(inputs.workload);
  if (inputs.machine) {  // refuses what does not fit before any work
    compile(structure, inputs.machine->machine, {}, FastEngine::cycles);
  }
  const Deployment deployment = deploy(workload, threads, progress);

  const auto lock = commit_lock();
  save_network(deployment.network, out);
  std::cout << out << "/network.json\n" << out << "/tensors.safetensors\n" << std::flush;
  return 0;
}

}  // namespace

Subcommand quantize_command() {
  return {"quantize",
          "WORKLOAD --out DIR [options]",
          "Writes a network's integers: network.json and tensors.safetensors.",
          1,
          1,
          {{"machine", "MACHINE", "refuse a network this machine cannot round or hold"},
           {"out", "DIR", "folder to write into"},
           kSetOption,
           kThreadsOption,
           kMemoryOption},
          {"bitpulse quantize resnet20-cifar-w8a8 --out out/resnet20",
           "bitpulse quantize resnet18-w4a4-mixed --set /quantization/weights=2 --out out"},
          quantize};
}

}  // namespace bitpulse

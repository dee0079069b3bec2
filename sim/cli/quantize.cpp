// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "models/error.h"
#include "quant/integer/network_io.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"
#include "sim/cli/signals.h"

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
  const IntegerNetwork network =
      deploy(workload, load_weights(workload, threads), threads, progress);

  const auto lock = commit_lock();
  std::error_code failure;
  std::filesystem::create_directories(out, failure);
  if (failure) throw Error(ErrorKind::kIo, out + ": cannot make the folder: " + failure.message());
  save_network(network, out);
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

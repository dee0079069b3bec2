// SPDX-License-Identifier: Apache-2.0
// How fast the systemc engine computes whole networks with values, as one JSON document: MACs per
// second where a bound proves that no addition overflows, and where the order of 16-bit additions
// matters. One core; seconds are CPU time.
//   bench_systemc [network...]      default: resnet18 yolov2-voc
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/sim/systemc/seeded_parameters.h"

namespace bitpulse {
namespace {

/// CPU time of the one thread there is: a shared machine's other work does not count.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void bench(const std::string& name, int acc_bits, bool first) {
  const IntegerNetwork network = seeded_network(name, 8, 8, 1);
  Machine machine;
  machine.name = "int8-32x32-ws";
  machine.array.acc_bits = acc_bits;
  const Program program = compile(network, machine, {}, FastEngine::timer);
  const TensorCodes inputs = seeded_inputs(network, 1, 2);
  Operands operands;
  operands.inputs = &inputs;
  SystemcEngine systemc;
  double timing_s = 1e9, values_s = 1e9;
  RunResult result;
  for (int run = 0; run < 3; ++run) {  // the best of three
    operands.network = nullptr;
    double start = cpu_seconds();
    systemc.run(program, operands);
    timing_s = std::min(timing_s, cpu_seconds() - start);
    operands.network = &network;
    start = cpu_seconds();
    result = systemc.run(program, operands);
    values_s = std::min(values_s, cpu_seconds() - start);
  }
  std::int64_t macs = 0;
  std::uint64_t overflows = 0;
  for (const LayerPlan& plan : program.layers) macs += plan.macs;
  for (const Counters& layer : result.layers) overflows += layer.overflow_intermediate;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "%s  {\"network\": \"%s\", \"bits\": \"w8a8\", \"acc_bits\": %d, \"macs\": %lld, "
      "\"commands\": %zu, \"overflows\": %llu, \"timing_only_cpu_s\": %.4f, "
      "\"with_values_cpu_s\": %.4f, \"gmacs_per_cpu_s\": %.2f, \"peak_rss_mib\": %ld}",
      first ? "" : ",\n", name.c_str(), acc_bits, static_cast<long long>(macs),
      program.commands.size(), static_cast<unsigned long long>(overflows), timing_s, values_s,
      static_cast<double>(macs) / values_s / 1e9, usage.ru_maxrss / 1024);
}

}  // namespace
}  // namespace bitpulse

int main(int argc, char** argv) {
  std::vector<std::string> networks(argv + 1, argv + argc);
  if (networks.empty()) networks = {"resnet18", "yolov2-voc"};
  std::printf("{\"bench\": \"systemc\", \"machine\": \"int8-32x32-ws\", \"runs\": [\n");
  bool first = true;
  for (const std::string& name : networks) {
    for (const int acc_bits : {32, 16}) {
      bitpulse::bench(name, acc_bits, first);
      first = false;
    }
  }
  std::printf("\n]}\n");
}

// SPDX-License-Identifier: Apache-2.0
// How fast the timing models are, on one core, as one JSON document:
//   bench_sim [SECONDS]     least time spent on each figure, default 0.5
// - banked_memory: bursts per second of each shipped DRAM part, for a stream, for the 64-byte runs
//   of a strided tensor and for single random bursts.
// - networks: compile and run times of whole networks (32 x 32, int8, fixed memory); `count` is
//   what a sweep pays per point, for the same counts without commands.
// - banked_compile: compile times on ddr4-2400.

#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "models/io/shipped.h"
#include "models/nets/nets.h"
#include "quant/lower.h"
#include "sim/fast/command_counters.h"
#include "sim/fast/fast_engine.h"
#include "sim/memory/banked_dram.h"
#include "sim/memory/dram_timing.h"
#include "sim/schedule/compile.h"

namespace bitpulse {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Best time of a call, over calls that last `budget` seconds together.
template <class Call>
double best_seconds(double budget, Call&& call) {
  double best = 1e9;
  const Clock::time_point begin = Clock::now();
  do {
    const Clock::time_point start = Clock::now();
    call();
    best = std::min(best, seconds_since(start));
  } while (seconds_since(begin) < budget);
  return best;
}

/// Millions of bursts per second of `count` accesses of `bytes` at address(i).
template <class Address>
double mega_bursts(const DramTiming& timing, double budget, std::uint64_t count,
                   std::uint64_t bytes, Address&& address) {
  std::uint64_t bursts = 0;
  const double seconds = best_seconds(budget, [&] {
    BankedDram dram(timing, 800);
    dram.begin(0);
    for (std::uint64_t i = 0; i < count; ++i) dram.access(address(i), bytes, false);
    dram.finish();
    bursts = dram.events().activates + dram.events().row_hits;
  });
  return static_cast<double>(bursts) / seconds / 1e6;
}

void print_memory(const std::string& part, double budget) {
  const DramTiming timing = load_dram_timing(part);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> scattered(200'000);
  for (std::uint64_t& address : scattered) address = random() % (1u << 30);
  const double stream = mega_bursts(timing, budget, 1, 64u << 20, [](std::uint64_t) { return 0; });
  const double strided =
      mega_bursts(timing, budget, 200'000, 64, [](std::uint64_t i) { return i * 256; });
  const double single = mega_bursts(timing, budget, scattered.size(), 1, [&](std::uint64_t i) {
    return scattered[static_cast<std::size_t>(i)];
  });
  std::printf(
      "    {\"part\": \"%s\", \"stream_mbursts_per_s\": %.1f, \"strided_mbursts_per_s\": %.1f, "
      "\"random_mbursts_per_s\": %.1f}",
      part.c_str(), stream, strided, single);
}

void print_network(const std::string& name, double budget) {
  Workload workload;
  workload.name = workload.network_name = name;
  workload.graph = build_network(name);
  const IntegerNetwork network = lower(workload);
  const Machine machine;  // 32 x 32, int8, ws, fixed memory
  const Program program = compile(network, machine, {}, FastEngine::timer);
  const double compile_s =
      best_seconds(budget, [&] { compile(network, machine, {}, FastEngine::timer); });
  FastEngine engine;
  const double cycles_s = best_seconds(budget, [&] { FastEngine::cycles(program); });
  const double run_s = best_seconds(budget, [&] { engine.run(program, {}); });
  const double count_s = best_seconds(
      budget, [&] { count_run(network, machine, {}, FastEngine::timer, count_command); });
  std::printf(
      "    {\"network\": \"%s\", \"commands\": %zu, \"cycles\": %llu, \"compile_ms\": %.4f, "
      "\"cycles_only_ms\": %.4f, \"run_ms\": %.4f, \"total_ms\": %.4f, \"count_ms\": %.4f, "
      "\"ns_per_command\": %.1f}",
      name.c_str(), program.commands.size(),
      static_cast<unsigned long long>(FastEngine::cycles(program)), compile_s * 1e3, cycles_s * 1e3,
      run_s * 1e3, (compile_s + run_s) * 1e3, count_s * 1e3,
      cycles_s * 1e9 / static_cast<double>(program.commands.size()));
}

void print_banked_compile(const std::string& name, double budget) {
  Workload workload;
  workload.name = workload.network_name = name;
  workload.graph = build_network(name);
  const IntegerNetwork network = lower(workload);
  Machine machine;
  machine.dram.model = DramModel::kBanked;
  machine.dram.timing = load_dram_timing("ddr4-2400");
  const double seconds =
      best_seconds(budget, [&] { compile(network, machine, {}, FastEngine::timer); });
  std::printf("    {\"network\": \"%s\", \"compile_ms\": %.1f}", name.c_str(), seconds * 1e3);
}

template <class Print>
void print_list(const char* key, const std::vector<std::string>& names, const char* end,
                Print&& print) {
  std::printf("  \"%s\": [\n", key);
  for (std::size_t i = 0; i < names.size(); ++i) {
    print(names[i]);
    std::printf(i + 1 < names.size() ? ",\n" : "\n");
  }
  std::printf("  ]%s\n", end);
}

}  // namespace
}  // namespace bitpulse

int main(int argc, char** argv) {
  using namespace bitpulse;
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.5;
  mallopt(M_TRIM_THRESHOLD, 256 << 20);  // as a sweep's worker does
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  std::printf("{\n");
  print_list("banked_memory", shipped_names("dram"), ",",
             [budget](const std::string& part) { print_memory(part, budget); });
  print_list("networks", {"resnet18", "resnet50"}, ",",
             [budget](const std::string& name) { print_network(name, budget); });
  print_list("banked_compile", {"resnet18", "yolov2-voc", "mobilenet-v2"}, "",
             [budget](const std::string& name) { print_banked_compile(name, budget); });
  std::printf("}\n");
}

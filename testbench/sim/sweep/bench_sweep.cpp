// SPDX-License-Identifier: Apache-2.0
// What a sweep costs around its points, as one JSON document; every figure is of points that go
// through worker, evaluator and database as in `bitpulse sweep run`:
//   bench_sweep [POINTS]    points of resnet18, default 500, at most 1,000 (8 x 8: a tenth of them)
// - small_points: 100,000 points of one small layer; the most memory that parent or worker held,
//   and how long the finished database takes to say how it stands.
// - overhead: the same points without compiling and simulating.
// - resnet18: points per second (fixed memory), at one and two jobs; every point is another program
//   (its DRAM latency is), but for the line "shared", whose points differ in their clock.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "models/io/files.h"
#include "sim/sweep/runner.h"
#include "sim/sweep/store.h"
#include "sim/sweep/strategy.h"

namespace bitpulse {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  double seconds = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
      seconds += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    }
  }
  return seconds;
}

/// Of this process and its children so far.
long long peak_rss_bytes() {
  long long kib = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    kib = std::max<long long>(kib, usage.ru_maxrss);
  }
  return kib * 1024;
}

/// A folder that goes away with its owner.
struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "bitpulse-bench-XXXXXX").string();
  Folder() {
    if (!mkdtemp(path.data())) std::abort();
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
};

SweepSpec sweep_over(const std::string& workload, const std::string& axes) {
  return read_sweep(parse_json(R"({ "schema": "bitpulse/sweep/1", "name": "bench",
      "machines": ["int8-32x32-ws"], "objectives": ["cycles", "energy_pj"],
      "workloads": [")" + workload +
                                   "\"], \"axes\": [" + axes + "] }",
                               "bench.json"));
}

struct Cost {
  std::uint64_t points = 0;
  double seconds = 0, cpu_seconds = 0;
};

Cost run_sweep(Evaluator& evaluator, const std::string& store, int jobs,
               const EvaluatePoint& evaluate) {
  SweepRunOptions options;
  options.jobs = jobs;
  const double cpu = cpu_seconds();
  const Clock::time_point start = Clock::now();
  SweepStore(store, SweepStore::Mode::kWrite).begin_sweep("{}");
  const SweepSummary summary =
      run_points(evaluator, choose_points(evaluator.spec()), store, evaluate, options);
  return {summary.ran - summary.failed, seconds_since(start), cpu_seconds() - cpu};
}

void print_small_points(const Folder& folder) {
  write_file_atomically(folder.file("layer.json"), R"({ "schema": "bitpulse/workload/1",
      "name": "one layer", "network": { "layers": [
        { "name": "g", "kind": "gemm", "m": 16, "k": 32, "n": 16 } ] },
      "quantization": { "method": "ptq", "weights": 8, "activations": 8 } })");
  Evaluator evaluator(sweep_over(folder.file("layer.json"), R"(
      { "keys": ["machine:/array/rows"], "range": { "from": 1, "to": 50, "step": 1 } },
      { "keys": ["machine:/array/cols"], "range": { "from": 1, "to": 20, "step": 1 } },
      { "keys": ["machine:/dram/latency_cycles"], "range": { "from": 1, "to": 100, "step": 1 } })"));
  const std::string store = folder.file("small.db");
  const Cost real =
      run_sweep(evaluator, store, 1, [&](std::uint64_t id) { return evaluator.evaluate(id); });
  const long long peak = peak_rss_bytes();
  const Clock::time_point start = Clock::now();
  const std::uint64_t done = SweepStore(store, SweepStore::Mode::kRead).counts().done;
  const double status_s = seconds_since(start);
  std::printf(
      "  \"small_points\": {\"points\": %llu, \"jobs\": 1, \"points_per_s\": %.0f, "
      "\"peak_rss_bytes\": %lld, \"database_bytes\": %llu, \"status_ms\": %.1f},\n",
      static_cast<unsigned long long>(done), static_cast<double>(real.points) / real.seconds, peak,
      static_cast<unsigned long long>(std::filesystem::file_size(store)), status_s * 1e3);

  const Cost planned = run_sweep(evaluator, folder.file("planned.db"), 1,
                                 [](std::uint64_t) { return PointMetrics(); });
  const double points = static_cast<double>(planned.points);
  std::printf(
      "  \"overhead\": {\"points\": %.0f, \"jobs\": 1, \"ms_per_point\": %.4f, "
      "\"cpu_ms_per_point\": %.4f},\n",
      points, planned.seconds / points * 1e3, planned.cpu_seconds / points * 1e3);
}

void print_resnet18(const Folder& folder, const char* name, int side, const std::string& key,
                    int points, bool last = false) {
  const std::string text = std::to_string(side);
  Evaluator evaluator(sweep_over(
      "resnet18-w8a8", R"({ "keys": ["machine:/array/rows", "machine:/array/cols"], "values": [)" +
                           text + R"(] }, { "keys": [")" + key +
                           R"("], "range": { "from": 1, "step": 1, "to": )" +
                           std::to_string(points) + "} }"));
  double first = 0;
  for (const int jobs : {1, 2}) {
    const Cost cost =
        run_sweep(evaluator, folder.file(std::string(name) + "-" + std::to_string(jobs) + ".db"),
                  jobs, [&](std::uint64_t id) { return evaluator.evaluate(id); });
    const double per_s = static_cast<double>(cost.points) / cost.seconds;
    if (jobs == 1) first = per_s;
    std::printf(
        "    {\"array\": \"%s\", \"jobs\": %d, \"points\": %llu, \"points_per_s\": %.1f, "
        "\"times_one_job\": %.2f, \"cpu_ms_per_point\": %.3f}%s\n",
        name, jobs, static_cast<unsigned long long>(cost.points), per_s, per_s / first,
        cost.cpu_seconds / static_cast<double>(cost.points) * 1e3, last && jobs == 2 ? "" : ",");
  }
}

}  // namespace
}  // namespace bitpulse

int main(int argc, char** argv) {
  using namespace bitpulse;
  const int points = argc > 1 ? std::max(10, std::atoi(argv[1])) : 500;
  const Folder folder;
  std::printf("{\n");
  print_small_points(folder);
  std::printf("  \"resnet18\": [\n");
  constexpr const char* kLatency = "machine:/dram/latency_cycles";
  print_resnet18(folder, "32x32", 32, kLatency, points);
  print_resnet18(folder, "8x8", 8, kLatency, points / 10);
  print_resnet18(folder, "32x32 shared", 32, "machine:/clock_mhz", 10 * points, true);
  std::printf("  ]\n}\n");
}

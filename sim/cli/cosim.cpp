// SPDX-License-Identifier: Apache-2.0
#include "sim/cosim/cosim.h"

#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/shipped.h"
#include "models/text.h"
#include "quant/inputs.h"
#include "sim/cli/arrays.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/engines.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"
#include "sim/cli/signals.h"
#include "sim/cosim/random_case.h"
#include "sim/fast/fast_engine.h"
#include "sim/machine_reader.h"
#include "sim/schedule/compile.h"

namespace bitpulse {
namespace {

/// The engines under comparison, kept for all cases: a Verilated array is made once, but where each
/// case has waves of its own.
class Engines {
 public:
  explicit Engines(const Arguments& arguments)
      : arguments_(arguments),
        trace_(arguments.text("trace")),
        systemc_(find_engine("systemc").make(arguments)),
        rtl_(make_lockstep_engine(arguments, "", "")) {
    if (!trace_.empty() && trace_ != "vcd" && trace_ != "fst") {
      throw Error(ErrorKind::kUsage,
                  "--trace: found \"" + printable(trace_) + "\", expected vcd or fst");
    }
    if (arguments.has("out")) std::filesystem::create_directories(arguments.text("out"));
  }

  /// file  of the case's waves, without folder and extension
  CosimResult compare(const std::string& name, const std::string& file, const Program& program,
                      const IntegerNetwork& network, const TensorCodes& inputs, int threads) {
    const std::string path =
        (std::filesystem::path(arguments_.text("out", ".")) / file).lexically_normal().string();
    if (!trace_.empty()) rtl_ = make_lockstep_engine(arguments_, trace_, path + '.' + trace_);
    CosimResult result =
        cosimulate(name, program, network, inputs, {systemc_.get(), rtl_.get()}, threads);
    if (result.place && !window_written_) {
      window_written_ = true;
      const WaveFiles waves =
          write_wave_files(arguments_, trace_.empty() ? "fst" : trace_, path + "-divergence",
                           *result.place, program, {&network, &inputs, true});
      result.waveform = waves.waveform;
      result.remark = waves.remark;
    }
    return result;
  }

 private:
  const Arguments& arguments_;
  std::string trace_;
  std::unique_ptr<Engine> systemc_, rtl_;
  bool window_written_ = false;  // of the first case that differs
};

CosimResult compare_workload(const Inputs& inputs, Engines& engines, int threads,
                             Progress& progress) {
  const Workload& workload = inputs.workload.workload;
  const IntegerNetwork network = deploy(workload, threads, progress).network;
  const ImageSet images = load_images(workload, Split::kTest, workload.batch);
  const TensorCodes codes = input_codes(workload, network, images, 0, workload.batch);
  const Program program =
      compile(network, inputs.machine->machine, {workload.batch, 0, -1}, FastEngine::timer);
  progress.phase("comparing fast, systemc and rtl");
  return engines.compare(workload.name, "cosim-workload", program, network, codes, threads);
}

void compare_random(std::int64_t cases, const std::optional<Machine>& machine, Engines& engines,
                    CosimReport& report, Progress& progress) {
  progress.phase("comparing random cases", cases);
  for (std::int64_t number = 0; number < cases; ++number) {
    const RandomCase c = random_case(report.seed, number, machine);
    report.cases.push_back(engines.compare(c.name, "cosim-random-" + std::to_string(number),
                                           c.program, c.network, c.inputs, 1));
    progress.update(number + 1);
  }
}

int publish(const CosimReport& report, const Arguments& arguments) {
  const auto lock = commit_lock();
  if (arguments.has("junit")) write_file_atomically(arguments.text("junit"), cosim_junit(report));
  const bool differ = report.divergent() > 0;
  if (!arguments.has("json")) {
    std::cout << cosim_summary(report) << std::flush;
  } else {
    std::cout << cosim_json(report) << std::flush;
    if (differ) std::cerr << cosim_summary(report);
  }
  return differ ? static_cast<int>(ErrorKind::kCheckFailed) : 0;
}

int cosim(const Arguments& arguments) {
  limit_memory(arguments);
  const int threads = thread_count(arguments);
  const bool has_workload = !arguments.positional().empty();
  const std::int64_t cases = arguments.integer("random", 0, 1, 1'000'000);
  CosimReport report;
  report.seed = static_cast<std::uint64_t>(
      arguments.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  report.command = spelled(cosim_command(), arguments,
                           {"threads", "max-memory", "json", "junit", "cache", "out"});
  if (!has_workload && cases == 0) {
    throw Error(ErrorKind::kUsage, "cosim: neither a WORKLOAD nor --random is given");
  }
  if (has_workload && !arguments.has("machine")) {
    throw Error(ErrorKind::kUsage, "cosim: a WORKLOAD needs --machine");
  }
  if (arguments.has("array") && !arguments.has("machine")) {
    throw Error(ErrorKind::kUsage, "--array: needs the --machine that it belongs to");
  }
  if (!has_workload && arguments.has("set")) {
    throw Error(ErrorKind::kUsage, "--set: no WORKLOAD is given");
  }

  Engines engines(arguments);
  std::optional<Inputs> inputs;
  std::optional<Machine> machine;
  if (has_workload) {
    inputs = read_inputs(arguments.positional().front(), arguments.text("machine"),
                         arguments.all("set"));
    machine = inputs->machine->machine;
  } else if (arguments.has("machine")) {
    machine = read_machine(load_json(find_file(arguments.text("machine"), "machines")));
  }
  if (machine) require_rtl_array(*machine, array_maker(arguments));
  {
    Progress progress;
    if (inputs) report.cases.push_back(compare_workload(*inputs, engines, threads, progress));
    if (cases > 0) compare_random(cases, machine, engines, report, progress);
  }
  return publish(report, arguments);
}

}  // namespace

Subcommand cosim_command() {
  return {"cosim",
          "[WORKLOAD] [--random N] [options]",
          "Compares all engines and the reference executor, case by case.",
          0,
          1,
          {{"machine", "MACHINE", "machine JSON, or the name of a shipped one; its array is built"},
           {"random", "N", "compare N random cases (on MACHINE, or on random small machines)"},
           {"seed", "S", "of the random cases (default 1)"},
           kArrayOption,
           kCacheOption,
           {"out", "DIR", "folder of the wave files (default: the current one)"},
           {"trace", "vcd|fst",
            "write all waves of the array, a file per case; default: FST, around a difference"},
           {"junit", "FILE", "also write JUnit XML there, one test case per case"},
           kSetOption,
           kThreadsOption,
           kMemoryOption,
           kJsonOption},
          {"bitpulse cosim --random 50 --seed 7 --junit cosim.xml",
           "bitpulse cosim two-layers-w8a8 --machine int8-32x32-ws"},
          cosim};
}

}  // namespace bitpulse

// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <utility>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/sha256.h"
#include "sim/cli/accuracy.h"
#include "sim/cli/arrays.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/engines.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"
#include "sim/cli/signals.h"
#include "sim/cli/value_run.h"
#include "sim/energy/technology.h"
#include "sim/fast/fast_engine.h"
#include "sim/report/report.h"
#include "sim/report/trace.h"
#include "sim/schedule/compile.h"
#include "sim/timeline.h"

namespace bitpulse {
namespace {

/// "FIRST:LAST", 0-based and inclusive.
std::pair<std::int64_t, std::int64_t> read_layers(const Arguments& arguments, std::size_t layers) {
  const auto last = static_cast<std::int64_t>(layers) - 1;
  if (!arguments.has("layers")) return {0, last};
  const std::string text = arguments.text("layers");
  std::pair<std::int64_t, std::int64_t> range{-1, -1};
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, range.first);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == ':') {
    const auto second = std::from_chars(first.ptr + 1, end, range.second);
    if (second.ec == std::errc() && second.ptr == end && range.first >= 0 &&
        range.first <= range.second && range.second <= last) {
      return range;
    }
  }
  throw Error(ErrorKind::kUsage,
              "--layers: found \"" + text +
                  "\", expected FIRST:LAST with 0 <= FIRST <= LAST <= " + std::to_string(last));
}

void append(std::vector<std::string>& files, const std::vector<std::string>& more) {
  files.insert(files.end(), more.begin(), more.end());
}

/// The files a machine names, beside its own.
std::vector<std::string> machine_files(const Machine& machine, const Technology& technology) {
  std::vector<std::string> files{technology.file};
  if (machine.dram.model == DramModel::kBanked) files.push_back(machine.dram.timing.file);
  return files;
}

/// Writes what was asked for. `checked`: every integer was found to be the reference executor's.
void publish(const Report& report, const std::optional<Trace>& trace, const Arguments& arguments,
             bool checked) {
  const auto lock = commit_lock();
  if (arguments.has("out")) {
    write_report(report, arguments.text("out"));
    const std::string timeline = arguments.text("out") + "/timeline.json";
    if (trace) {
      write_file_atomically(timeline, trace->json);
    } else {
      std::error_code ignored;
      std::filesystem::remove(timeline, ignored);  // of an earlier run
    }
  }
  if (arguments.has("json")) {
    std::cout << report_json(report) << std::flush;
    return;
  }
  std::cout << terminal_table(report);
  if (checked) {
    std::cout
        << "check       every stored integer and overflow count is the reference executor's\n";
  }
  if (arguments.has("out"))
    std::cout << "report      " << arguments.text("out") << "/report.json\n";
  std::cout << std::flush;
}

int run(const Arguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  limit_memory(arguments);
  const int threads = thread_count(arguments);
  if (arguments.has("timeline") && !arguments.has("out")) {
    throw Error(ErrorKind::kUsage, "--timeline: needs --out, the folder to write it to");
  }
  const EngineInfo& engine = find_engine(arguments.text("engine", "systemc"));
  const std::int64_t images = arguments.integer("images", 0, 1, std::int64_t{1} << 32);
  if (!arguments.has("machine")) throw Error(ErrorKind::kUsage, "run: --machine is missing");
  if (arguments.has("check") && !engine.computes_values) {
    throw Error(ErrorKind::kUsage, "--check: the fast engine computes no values to check");
  }

  const bool on_rtl = engine.name == std::string_view("rtl");
  for (const char* option : {"array", "trace"}) {
    if (arguments.has(option) && !on_rtl) {
      throw Error(ErrorKind::kUsage, std::string("--") + option + ": only with --engine rtl");
    }
  }

  Inputs inputs =
      read_inputs(arguments.positional().front(), arguments.text("machine"), arguments.all("set"));
  const Workload& workload = inputs.workload.workload;
  const Machine& machine = inputs.machine->machine;
  if (on_rtl) require_rtl_array(machine, run_array_maker(arguments));
  const Technology technology = load_technology(machine.technology);
  append(inputs.files, machine_files(machine, technology));
  if (images > 0 && workload.data.format == DataFormat::kNone) {
    throw Error(
        ErrorKind::kInvalidInput,
        inputs.workload.document.file() +
            ": at /data: found no data set, expected labelled images, which --images needs");
  }

  const IntegerNetwork structure = structure_of(inputs.workload);
  const auto [first, last] = read_layers(arguments, structure.layers.size());
  const Program program =
      compile(structure, machine, {workload.batch, first, last}, FastEngine::timer);

  Progress progress;
  ValueRun run;
  std::optional<AccuracyReport> accuracy;
  if (engine.computes_values || images > 0) {
    append(inputs.files, data_files(workload));
    Deployment deployment = deploy(workload, threads, progress);
    if (images > 0) {
      accuracy = AccuracyReport{
          dataset_name(workload.data), "reference executor",
          measure_accuracy(workload, deployment,
                           accumulation_on(machine, deployment.network, workload.batch), images, -1,
                           threads, progress)};
    }
    deployment.weights.clear();  // engines need the integers only
    if (engine.computes_values) {
      run = run_with_values(*engine.make(arguments), program, workload, deployment.network,
                            arguments.has("check"), threads, progress);
    }
  }
  if (!engine.computes_values) run.result = engine.make(arguments)->run(program, {});
  const Timeline timeline = account(program, run.result.times);
  check_identities(program, run.result, timeline);

  Report report = make_report(machine, program.layers, run.result.layers, timeline);
  price_report(report, machine, technology);
  report.has_values = run.result.has_values;
  report.build = build_info();
  report.command = spelled(run_command(), arguments,
                           {"out", "threads", "max-memory", "json", "cache", "timeline", "trace"});
  report.workload_document = inputs.workload.document;
  report.machine_document = inputs.machine->document;
  report.workload = workload;
  report.allocation = inputs.workload.allocation;
  report.engine = engine.name;
  report.accuracy = std::move(accuracy);
  for (const std::string& file : inputs.files)
    report.inputs.push_back({file, sha256_of_path(file)});
  report.environment = observe_environment(start, threads);
  std::optional<Trace> trace;
  if (arguments.has("timeline")) {
    trace = make_trace(program, run.result, timeline, workload.name + " on " + machine.name);
    if (trace->shown < trace->commands) {
      std::cerr << "bitpulse: timeline.json shows the first " << trace->shown << " of "
                << trace->commands << " commands\n";
    }
  }
  publish(report, trace, arguments, arguments.has("check") && !run.difference);
  if (!run.difference) return 0;
  std::cerr << "bitpulse: " << engine.name
            << " and the reference executor differ: " << *run.difference << '\n';
  return static_cast<int>(ErrorKind::kCheckFailed);
}

}  // namespace

Subcommand run_command() {
  return {"run",
          "WORKLOAD --machine MACHINE [options]",
          "Runs a network on a machine cycle by cycle and reports its cost.",
          1,
          1,
          {{"machine", "MACHINE", "machine JSON, or the name of a shipped one"},
           {"engine", "NAME",
            "fast (timing only), systemc (default; timing and values), rtl (a Verilated array in "
            "lockstep with it)"},
           {"out", "DIR", "write report.json, layers.csv and actions.csv there"},
           {"timeline", nullptr,
            "with --out: also write timeline.json, for ui.perfetto.dev and bitpulse report"},
           {"images", "N", "also report accuracy over the first N test images"},
           {"layers", "FIRST:LAST", "run these layers only (0-based, inclusive)"},
           {"check", nullptr, "compare every integer with the reference executor"},
           kArrayOption,
           kTraceOption,
           kCacheOption,
           kSetOption,
           kThreadsOption,
           kMemoryOption,
           kJsonOption},
          {"bitpulse run resnet18-w8a8 --machine int8-32x32-ws --engine fast",
           "bitpulse run resnet20-cifar-w4a4 --machine int4-32x32-ws --check --out out"},
          run};
}

}  // namespace bitpulse

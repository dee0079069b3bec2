// SPDX-License-Identifier: Apache-2.0

// bitpulse-train: trains the network of a workload. A program of its own, so that nothing else
// loads libtorch; `bitpulse quantize` starts it for methods that learn, `bitpulse sensitivity` for
// what the loss feels.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/workload_reader.h"
#include "quant/train/sensitivity_command.h"
#include "quant/train/trainer.h"
#include "quant/train/words.h"

namespace bitpulse {
namespace {

constexpr int kUnfinished = 75;  // EX_TEMPFAIL of sysexits.h: try again

constexpr const char* kHelp =
    "usage: bitpulse-train WORKLOAD --out DIR [options]\n"
    "       bitpulse-train sensitivity WORKLOAD --out FILE [options]\n\n"
    "Trains the workload's network as its \"train\" says: the network itself (method\n"
    "float) or with quantizers (lsq, llsq, hawq). Writes model.safetensors,\n"
    "metrics.csv and checkpoint.safetensors; the same command goes on where the last\n"
    "one ended, however it ended.\n\n"
    "  --out DIR               folder to write into\n"
    "  --set /pointer=value    override a key of the workload (repeatable)\n"
    "  --device cpu|cuda       where to compute (default: cpu)\n"
    "  --threads N             threads (default: all)\n"
    "  --max-seconds S         stop after S seconds, to be resumed: exit status 75\n"
    "  --checkpoint-seconds S  save at least so often (default: 60)\n\n"
    "exit status: as bitpulse, and 75 where time ran out before the end\n\nexamples:\n"
    "  bitpulse-train my-float.json --out out/float\n"
    "  until bitpulse-train my-w2a2-lsq.json --out out/w2a2 --max-seconds 540; do\n"
    "    [ $? -eq 75 ] || break; done\n";

volatile std::sig_atomic_t signal_received = 0;

struct CommandLine {
  std::string workload;
  std::vector<JsonOverride> overrides;
  TrainOptions options;
  bool help = false;
};

CommandLine parse(const std::vector<std::string>& words) {
  const Words all(
      words, {"--out", "--set", "--device", "--threads", "--max-seconds", "--checkpoint-seconds"});
  CommandLine line;
  line.help = all.help();
  if (line.help) return line;
  line.workload = all.workload();
  line.overrides = all.overrides();
  line.options.out = all.required("--out");
  line.options.device = all.text("--device", "cpu");
  line.options.threads = all.threads();
  line.options.max_seconds = all.seconds("--max-seconds", 0);
  line.options.checkpoint_seconds = all.seconds("--checkpoint-seconds", 60);
  return line;
}

/// The part of a workload that decides what a training does.
std::string recipe_of(const JsonValue& document) {
  nlohmann::ordered_json json = document.raw();
  json.erase("name");
  json.erase("batch");
  json["quantization"].erase("integers");
  if (json["quantization"].contains("train")) json["quantization"]["train"].erase("resume");
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

int run(const std::vector<std::string>& words) {
  if (!words.empty() && words.front() == kSensitivityCommand)
    return run_sensitivity({words.begin() + 1, words.end()});
  CommandLine line = parse(words);
  if (line.help) {
    std::cout << kHelp;
    return 0;
  }
  const JsonValue document = load_workload(line.workload, line.overrides);
  const Workload workload = read_workload(document);
  if (workload.quantization.auto_bits)
    document.at("quantization")
        .at("bits")
        .fail("numbers: `bitpulse quantize` chooses bits, then trains with them");
  if (!workload.quantization.learns)
    throw Error(
        ErrorKind::kInvalidInput,
        "quantization method: found \"" + workload.quantization.method +
            "\" without \"train\", which learns nothing; expected lsq, llsq, float, or hawq "
            "beside \"train\"");
  std::error_code error;
  std::filesystem::create_directories(line.options.out, error);
  if (error) throw Error(ErrorKind::kIo, line.options.out + ": cannot be made: " + error.message());

  line.options.recipe = recipe_of(document);
  line.options.told_to_stop = [] { return signal_received != 0; };
  const TrainResult result = train(workload, line.options);
  if (result.floor_hits > 0)
    std::cerr << "bitpulse-train: " << result.floor_hits
              << " times a quantizer's step fell below its floor and was lifted\n";
  if (!result.finished) {
    std::cerr << "bitpulse-train: stopped after step " << result.step << " of " << result.steps
              << "; the same command goes on from here\n";
    return signal_received != 0 ? 128 + static_cast<int>(signal_received) : kUnfinished;
  }
  std::cout << line.options.out << "/model.safetensors\n";
  if (result.test_images > 0)
    std::cout << "test top-1 "
              << 100 * static_cast<double>(result.test_right) /
                     static_cast<double>(result.test_images)
              << " %  " << result.test_right << " of " << result.test_images << '\n';
  return 0;
}

int guarded(const std::vector<std::string>& words) {
  try {
    return run(words);
  } catch (const Error& e) {
    std::cerr << "bitpulse-train: " << e.what() << '\n';
    return static_cast<int>(e.kind());
  } catch (const std::bad_alloc&) {
    std::cerr << "bitpulse-train: out of memory\n";
    return static_cast<int>(ErrorKind::kLimit);
  } catch (const std::exception& e) {
    std::cerr << "bitpulse-train: internal error: " << e.what() << '\n';
    return static_cast<int>(ErrorKind::kInternal);
  }
}

/// Threads that spin while they wait cost a busy machine several times the work itself. The
/// runtime reads the variable when it is loaded, so the program starts itself anew.
void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);
}

}  // namespace
}  // namespace bitpulse

int main(int argc, char** argv) {
  bitpulse::wait_passively(argv);
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int received) { bitpulse::signal_received = received; });
  return bitpulse::guarded({argv + 1, argv + argc});
}

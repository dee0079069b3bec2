// SPDX-License-Identifier: Apache-2.0

// bitpulse-train: trains the network of a workload. A program of its own, so that nothing else
// loads libtorch; `bitpulse quantize` starts it for methods that learn.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "models/text.h"
#include "quant/train/trainer.h"

namespace bitpulse {
namespace {

constexpr int kUnfinished = 75;  // EX_TEMPFAIL of sysexits.h: try again

constexpr const char* kHelp =
    "usage: bitpulse-train WORKLOAD --out DIR [options]\n\n"
    "Trains the workload's network as its \"train\" says: the network itself (method\n"
    "float) or with quantizers that learn (lsq, llsq). Writes model.safetensors,\n"
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

double seconds_of(const std::string& option, const std::string& value) {
  char* end = nullptr;
  const double seconds = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0' || !(seconds > 0 && seconds < 1e9))
    throw Error(ErrorKind::kUsage,
                option + ": found \"" + printable(value) + "\", expected seconds above 0");
  return seconds;
}

int threads_of(const std::string& value) {
  char* end = nullptr;
  const long threads = std::strtol(value.c_str(), &end, 10);
  if (value.empty() || *end != '\0' || threads < 1 || threads > 1024)
    throw Error(ErrorKind::kUsage,
                "--threads: found \"" + printable(value) + "\", expected 1..1024");
  return static_cast<int>(threads);
}

JsonOverride override_of(std::string value) {
  constexpr std::string_view kPrefix = "workload:";
  if (value.compare(0, kPrefix.size(), kPrefix) == 0) value.erase(0, kPrefix.size());
  const std::size_t equals = value.find('=');
  if (value.empty() || value[0] != '/' || equals == std::string::npos)
    throw Error(ErrorKind::kUsage,
                "--set: found \"" + printable(value) + "\", expected /pointer=value");
  return {value.substr(0, equals), value.substr(equals + 1)};
}

CommandLine parse(const std::vector<std::string>& words) {
  CommandLine line;
  line.options.threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help") line.help = true;
    if (word == "--help") continue;
    if (word.compare(0, 2, "--") != 0) {
      if (!line.workload.empty())
        throw Error(ErrorKind::kUsage, "found a second workload \"" + printable(word) + "\"");
      line.workload = word;
      continue;
    }
    const std::vector<std::string_view> known{"--out",     "--set",         "--device",
                                              "--threads", "--max-seconds", "--checkpoint-seconds"};
    if (std::find(known.begin(), known.end(), word) == known.end())
      throw Error(ErrorKind::kUsage,
                  "unknown option \"" + printable(word) + "\"" + did_you_mean(word, known));
    if (i + 1 == words.size()) throw Error(ErrorKind::kUsage, word + ": its value is missing");
    const std::string& value = words[++i];
    if (word == "--out") line.options.out = value;
    if (word == "--set") line.overrides.push_back(override_of(value));
    if (word == "--device") line.options.device = value;
    if (word == "--threads") line.options.threads = threads_of(value);
    if (word == "--max-seconds") line.options.max_seconds = seconds_of(word, value);
    if (word == "--checkpoint-seconds") line.options.checkpoint_seconds = seconds_of(word, value);
  }
  if (line.help) return line;
  if (line.workload.empty())
    throw Error(ErrorKind::kUsage, "the workload is missing; see bitpulse-train --help");
  if (line.options.out.empty())
    throw Error(ErrorKind::kUsage, "--out is missing; see bitpulse-train --help");
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
  CommandLine line = parse(words);
  if (line.help) {
    std::cout << kHelp;
    return 0;
  }
  JsonValue document = load_json(find_file(line.workload, ""));
  if (!line.overrides.empty()) document = override_json(document, line.overrides);
  const Workload workload = read_workload(document);
  if (workload.quantization.method == "ptq")
    throw Error(ErrorKind::kInvalidInput,
                "quantization method: found \"ptq\", which learns nothing; expected one of: lsq, "
                "llsq, float");
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

// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/sensitivity.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <thread>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/sha256.h"
#include "quant/allocate/sensitivity.h"
#include "sim/cli/cache.h"
#include "sim/cli/command.h"
#include "sim/cli/limits.h"
#include "sim/cli/signals.h"
#include "sim/cli/training.h"

namespace bitpulse {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMost = 1'000'000;
constexpr std::int64_t kActivationDraws = 5;  // of each of many images, so that few suffice

std::vector<std::string> options_of(const SensitivityRequest& request, std::uint64_t seed) {
  return {"--images",
          std::to_string(request.images),
          "--draws",
          std::to_string(request.draws),
          "--activation-draws",
          std::to_string(request.activation_draws),
          "--seed",
          std::to_string(seed),
          "--method",
          request.method,
          "--device",
          request.device};
}

/// Of the network, its weights, its training data and the settings.
std::string digest_of(const WorkloadInput& input, const std::vector<std::string>& options) {
  const Workload& workload = input.workload;
  std::string text = "bitpulse/hessian/1\n";
  for (const char* key : {"network", "data"}) text += input.document.at(key).raw_text() + '\n';
  for (const std::string& file :
       {workload.weights_path, workload.data.train, workload.data.train_labels}) {
    text += (file.empty() ? "none" : sha256_of_path(file)) + '\n';
  }
  for (const std::string& option : options) text += option + '\n';
  return sha256_of_text(text);
}

/// False where it is not there, or something that cannot be read stands in its place.
bool is_usable(const std::string& path) {
  if (!fs::exists(path)) return false;
  try {
    return !read_sensitivities(load_json(path)).layers.empty();
  } catch (const Error& error) {
    std::cerr << error.what() << "; it is made again\n";
    return false;
  }
}

void announce(const SensitivityRequest& request, const std::string& path) {
  std::cerr << "estimating sensitivities once: ";
  if (request.activation_draws > 0) {
    std::cerr << request.activation_draws << " draws for the activations of each of ";
  } else {
    std::cerr << request.draws << " draws over ";
  }
  std::cerr << request.images << " images, kept in " << path << '\n';
}

int make_file(const Arguments& arguments) {
  limit_memory(arguments);
  if (!arguments.has("out")) throw Error(ErrorKind::kUsage, "sensitivity: --out is missing");
  const Inputs inputs =
      read_inputs_as_written(arguments.positional().front(), "", arguments.all("set"));
  SensitivityRequest request;
  request.images = arguments.integer("images", request.images, 1, kMost);
  request.draws = arguments.integer("draws", request.draws, 1, kMost);
  request.activation_draws =
      arguments.integer("activation-draws", request.activation_draws, 0, kMost);
  if (arguments.has("seed")) {
    request.seed =
        static_cast<std::uint64_t>(arguments.integer("seed", 0, 0, std::int64_t{1} << 53));
  }
  request.method = arguments.text("method", request.method);
  request.device = arguments.text("device", request.device);
  request.threads = thread_count(arguments);
  std::string path;
  if (const int status = find_sensitivity(inputs.workload, request, path)) {
    return status;
  }
  const auto lock = commit_lock();
  write_file_atomically(arguments.text("out"), read_file(path, JsonLimits().bytes));
  std::cout << arguments.text("out") << '\n';
  return 0;
}

}  // namespace

int find_sensitivity(const WorkloadInput& input, const SensitivityRequest& request,
                     std::string& path) {
  const std::string& workload_file = input.document.file();
  if (input.workload.weights_path.empty()) {
    throw Error(
        ErrorKind::kInvalidInput,
        workload_file + ": found no \"weights\", expected those of a trained float network");
  }
  if (input.workload.data.format == DataFormat::kNone) {
    throw Error(ErrorKind::kInvalidInput,
                workload_file + ": found no \"data\", expected labelled training images");
  }
  const std::vector<std::string> options =
      options_of(request, request.seed.value_or(input.workload.seed));
  const fs::path folder = fs::path(cache_folder()) / "hessian";
  path = folder / (digest_of(input, options) + ".json");
  if (is_usable(path)) return 0;
  if (!has_trainer()) {
    throw Error(ErrorKind::kUsage,
                "found no estimate in the cache and no bitpulse-train beside this program to make "
                "one, expected a build with libtorch (scripts/setup --train), or \"bits\" with "
                "\"sensitivity\": FILE, made by `bitpulse sensitivity` where there is one");
  }
  std::vector<std::string> words{"sensitivity", workload_file, "--out",
                                 path,          "--threads",   std::to_string(request.threads)};
  if (request.activation_draws > 0) {  // beside those of weights, which serve alone, too
    SensitivityRequest of_weights = request;
    of_weights.activation_draws = 0;
    std::string traces;
    if (const int status = find_sensitivity(input, of_weights, traces)) return status;
    words.insert(words.end(), {"--traces", traces});
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::kIo, folder.string() + ": cannot be made: " + error.message());
  }
  announce(request, path);
  words.insert(words.end(), options.begin(), options.end());
  for (const JsonOverride& override : input.overrides) {
    words.insert(words.end(), {"--set", override.pointer + '=' + override.value});
  }
  return run_trainer(words);
}

std::string sensitivity_on_demand(const WorkloadInput& input) {
  SensitivityRequest request;
  request.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (input.workload.quantization.auto_bits->free_activations) {
    request.activation_draws = kActivationDraws;
  }
  std::string path;
  if (const int status = find_sensitivity(input, request, path)) {
    throw Error(ErrorKind::kCheckFailed, "bitpulse-train ended with status " +
                                             std::to_string(status) +
                                             ", expected sensitivities of the layers");
  }
  return path;
}

Subcommand sensitivity_command() {
  return {"sensitivity",
          "WORKLOAD --out FILE [options]",
          "Estimates how much the loss feels each layer's weights.",
          1,
          1,
          {{"out", "FILE", "file to write, for \"bits\": {\"auto\": \"hawq\"}"},
           {"images", "N", "training images (default: 512)"},
           {"draws", "N", "at most so many random vectors (default: 50)"},
           {"activation-draws", "N", "vectors per image for the layers' inputs (default: 0)"},
           {"seed", "N", "of the vectors (default: the workload's)"},
           {"method", "M", "double_backward (default) or finite_difference"},
           {"device", "cpu|cuda", "where to compute (default: cpu)"},
           kSetOption,
           kThreadsOption,
           kMemoryOption},
          {"bitpulse sensitivity my-net.json --out my-net.hessian.json",
           "bitpulse sensitivity my-net.json --draws 20 --out my-net.hessian.json"},
          make_file};
}

}  // namespace bitpulse

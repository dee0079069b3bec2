// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/cli/program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bitpulse {
namespace {

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bitpulse-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch folder");
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::file(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary) << content;
  return path(name);
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

Outcome shell(const std::string& command) {
  const ScratchFolder streams;
  const std::string line = "bitpulse=" + quoted(BITPULSE_PROGRAM) +
                           "; export BITPULSE_CACHE=" + quoted(streams.path("cache")) + "; { " +
                           command + "\n} >" + quoted(streams.path("out")) + " 2>" +
                           quoted(streams.path("err"));
  const int raw = std::system(line.c_str());
  Outcome outcome;
  outcome.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  outcome.out = content_of(streams.path("out"));
  outcome.err = content_of(streams.path("err"));
  return outcome;
}

Outcome bitpulse(const std::vector<std::string>& words) {
  std::string command = "\"$bitpulse\"";
  for (const std::string& word : words) command += ' ' + quoted(word);
  return shell(command);
}

std::string small_workload() {
  return R"({
  "schema": "bitpulse/workload/1", "name": "small",
  "network": {
    "inputs": { "image": [3, 8, 8] },
    "nodes": [
      { "name": "c1", "kind": "conv2d", "inputs": ["image"], "out_channels": 8, "kernel": [3, 3], "pad": [1, 1, 1, 1] },
      { "name": "r1", "kind": "relu", "inputs": ["c1"] },
      { "name": "c2", "kind": "conv2d", "inputs": ["r1"], "out_channels": 8, "kernel": [3, 3], "pad": [1, 1, 1, 1] },
      { "name": "a2", "kind": "add", "inputs": ["c2", "r1"] },
      { "name": "r2", "kind": "relu", "inputs": ["a2"] },
      { "name": "p", "kind": "global_avg_pool", "inputs": ["r2"] },
      { "name": "fc", "kind": "linear", "inputs": ["p"], "out_features": 10 }
    ],
    "outputs": ["fc"]
  },
  "quantization": { "method": "ptq", "weights": 4, "activations": 4, "first_last": 8 }
})";
}

std::string small_machine() {
  return R"({
  "schema": "bitpulse/machine/1", "name": "small", "clock_mhz": 100,
  "array": { "rows": 8, "cols": 4, "dataflow": "ws", "pe": "int4", "acc_bits": 24 },
  "buffers": { "act_kib": 8, "weight_kib": 8, "out_kib": 8, "acc_kib": 8 },
  "dram": { "model": "fixed", "bytes_per_cycle": 8, "latency_cycles": 20 }
})";
}

}  // namespace bitpulse

// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/workload_reader.h"
#include "quant/allocate/sensitivity.h"
#include "quant/integer/network_io.h"
#include "sim/cli/command.h"
#include "sim/cli/inputs.h"
#include "sim/energy/technology.h"
#include "sim/machine_reader.h"
#include "sim/memory/dram_timing.h"
#include "sim/sweep/evaluator.h"

namespace bitpulse {
namespace {

/// A network's JSON says little without the tensors beside it.
void read_network(const JsonValue& root) {
  const std::string folder = std::filesystem::path(root.file()).parent_path().string();
  load_network(folder.empty() ? "." : folder);
}

void read_workload_and_files(const JsonValue& root) {
  WorkloadInput input{root, read_workload(root)};
  const auto& bits = input.workload.quantization.auto_bits;
  const bool on_machine = bits && (bits->budget.latency_ms || bits->budget.energy_uj);
  if (bits && (bits->sensitivity.empty() || (on_machine && bits->machine.empty()))) {
    // Which bits they are depends on a machine that is not known here, or on estimates that need
    // not be there yet; the widest stand for them.
    if (!bits->sensitivity.empty()) read_sensitivities(load_json(bits->sensitivity));
    input.workload.quantization.auto_bits.reset();
  }
  choose_bits(input, nullptr);
  structure_of(input);
  check_files(input);
}

/// A kind of document and what reads it in full.
struct Kind {
  const char* schema;
  void (*read)(const JsonValue& root);
};
const Kind kKinds[] = {
    {"bitpulse/workload/1", read_workload_and_files},
    {"bitpulse/machine/1",
     [](const JsonValue& root) { load_technology(read_machine(root).technology); }},
    {"bitpulse/technology/1", [](const JsonValue& root) { read_technology(root); }},
    {"bitpulse/dram/1", [](const JsonValue& root) { read_dram_timing(root); }},
    {"bitpulse/network/1", read_network},
    {"bitpulse/sweep/1", [](const JsonValue& root) { Evaluator(read_sweep(root)); }},
};

/// The schema the file says it follows, after reading it by that schema's reader.
std::string validate_file(const std::string& path) {
  const JsonValue root = load_json(path);
  std::string schema = root.at("schema").text();
  std::string known;
  for (const Kind& kind : kKinds) {
    if (schema == kind.schema) {
      kind.read(root);
      return schema;
    }
    known += (known.empty() ? "" : ", ") + std::string(kind.schema);
  }
  root.at("schema").fail("one of " + known);
}

int validate(const Arguments& arguments) {
  int status = 0;
  for (const std::string& path : arguments.positional()) {
    try {
      const std::string schema = validate_file(path);
      std::cout << path << ": " << schema << '\n';
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kInternal) throw;
      std::cerr << "bitpulse: " << e.what() << '\n';
      if (status == 0) status = static_cast<int>(e.kind());
    }
  }
  return status;
}

}  // namespace

Subcommand validate_command() {
  return {"validate",
          "FILE...",
          "Reads files, and the files they name; says what is wrong.",
          1,
          static_cast<std::size_t>(-1),
          {},
          {"bitpulse validate my-workload.json my-machine.json",
           "bitpulse validate workloads/*.json workloads/machines/*.json"},
          validate};
}

}  // namespace bitpulse

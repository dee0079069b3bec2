// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the subcommands start from: a workload and a machine, found by path or shipped name, with
// the --set overrides applied, read in full.

#include <optional>
#include <string>
#include <vector>

#include "models/io/json.h"
#include "models/workload.h"
#include "quant/integer/integer_network.h"
#include "sim/allocate/allocate.h"
#include "sim/machine.h"

namespace bitpulse {

struct WorkloadInput {
  JsonValue document;  // overrides applied
  Workload workload;   // its bits chosen
  std::vector<JsonOverride> overrides{};
  std::optional<Allocation> allocation{};  // where bits had to be chosen
};
struct MachineInput {
  JsonValue document;
  Machine machine;
};
struct Inputs {
  WorkloadInput workload;
  std::optional<MachineInput> machine;
  std::vector<std::string> files;  // that have been read
};

/// `machine_name` "": none. Each of `sets` is "/pointer=value", "workload:/pointer=value" or
/// "machine:/pointer=value". Without a prefix the document is meant whose keys begin the pointer.
///
/// errors  kUsage: no such form, or both documents have the key, or neither; kInvalidInput: the
///         readers', and the allocator's where bits are chosen
Inputs read_inputs(const std::string& workload_name, const std::string& machine_name,
                   const std::vector<std::string>& sets);

/// The same with the bits still to be chosen.
Inputs read_inputs_as_written(const std::string& workload_name, const std::string& machine_name,
                              const std::vector<std::string>& sets);

/// Chooses the bits that the workload leaves open; returns the files that were read for it.
///
/// errors  kInvalidInput with the workload's file and place
std::vector<std::string> choose_bits(WorkloadInput& input, const Machine* machine);

/// The integer network without its parameters.
///
/// errors  kInvalidInput, naming the workload's file
IntegerNetwork structure_of(const WorkloadInput& input);

/// Reads every file the workload names: weights that fit the network, data, integer networks.
///
/// errors  the readers', with the workload's file and JSON pointer before their text
void check_files(const WorkloadInput& input);

}  // namespace bitpulse

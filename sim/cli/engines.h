// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engines that this program was built with, by name.

#include <memory>
#include <string>

#include "sim/cli/command.h"
#include "sim/divergence.h"
#include "sim/engine.h"
#include "sim/machine.h"
#include "sim/rtl/array_model.h"

namespace bitpulse {

struct EngineInfo {
  const char* name;
  bool computes_values;
  std::unique_ptr<Engine> (*make)(const Arguments&);
};

/// errors  kUsage: no engine of this name, or one that is not built in
const EngineInfo& find_engine(const std::string& name);

/// The rtl engine with its array in lockstep with the register-level model, edge by edge.
///
/// trace   "vcd", "fst": the array writes the waves of all its cycles to `file`; "": none
/// errors  kUsage: not built in
std::unique_ptr<Engine> make_lockstep_engine(const Arguments& arguments, const std::string& trace,
                                             const std::string& file);

/// The waves around a difference that a lockstep engine has found in a run: PATH.vcd or PATH.fst,
/// and PATH.gtkw that shows them. Makes the array again with waves, with Verilator if need be.
///
/// returns  what to tell people: the file, or why there is none
struct WaveFiles {
  std::string waveform;  // "": none
  std::string remark;
};
WaveFiles write_wave_files(const Arguments& arguments, const std::string& trace,
                           const std::string& path, const DivergencePlace& place,
                           const Program& program, const Operands& operands);

/// errors  the maker's, where the machine's array is not there for --engine rtl
void require_rtl_array(const Machine& machine, const rtl::ArrayMaker& make);

}  // namespace bitpulse

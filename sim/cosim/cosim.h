// SPDX-License-Identifier: Apache-2.0
#pragma once

// Co-verification: one program with values on several engines. Start and finish of every command
// must be the fast engine's, every stored integer and overflow count the reference executor's; an
// engine with a lockstep check of its own (rtl) may find a difference while it runs.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quant/integer/executor.h"
#include "sim/divergence.h"
#include "sim/engine.h"
#include "sim/program.h"

namespace bitpulse {

struct CosimResult {
  std::string name;  // of the case
  std::uint64_t commands = 0;
  std::uint64_t cycles = 0;     // of the program
  std::uint64_t elements = 0;   // stored integers and, before them, sums of array commands
  std::uint64_t overflows = 0;  // of sums, as the reference executor counts them
  std::optional<std::string> divergence;  // the first: layer, command or place, found, expected
  std::optional<DivergencePlace> place;   // of it, where a check beside an engine found it
  std::string waveform;                   // file with the waves around it; "": none
  std::string remark;                     // about the waves
};

/// engines  that compute values, in the order of trust
///
/// errors   the engines' own, but for kCheckFailed and kInternal, which are divergences
CosimResult cosimulate(const std::string& name, const Program& program,
                       const IntegerNetwork& network, const TensorCodes& inputs,
                       const std::vector<Engine*>& engines, int threads = 1);

/// What a run of cases has shown.
struct CosimReport {
  std::uint64_t seed = 0;
  std::string command;  // the command line that makes it again
  std::vector<CosimResult> cases;

  std::size_t divergent() const;
  const CosimResult* first_divergent() const;  // null: none
  CosimResult totals() const;                  // counts only
};

/// One JSON document, "bitpulse/cosim/1".
std::string cosim_json(const CosimReport& report);
/// JUnit XML: one test case per case. Text that XML cannot carry becomes '?'.
std::string cosim_junit(const CosimReport& report);
/// What people read: the counts, or the first divergence and, as the last line, the seed.
std::string cosim_summary(const CosimReport& report);

}  // namespace bitpulse

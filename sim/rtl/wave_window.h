// SPDX-License-Identifier: Apache-2.0
#pragma once

// The waves around one clock edge of a program's run: the run again, on an array that can be
// traced. The edge outputs that the rest of the machine goes on with are those of the
// register-level model, so that the run gets past the fault and shows what follows.

#include <cstdint>
#include <string>

#include "sim/engine.h"
#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

/// Cycles shown on each side of the edge.
inline constexpr std::uint64_t kWindow = 50;

struct WaveWindow {
  std::uint64_t edge = 0;   // the first that matters, counted from 1
  std::uint64_t cycle = 0;  // of the program, that begins with its outputs
  std::string path;         // of the wave file
};

/// Runs the program on an array of `make`, whose models can be traced, until the window is written.
///
/// returns  whether its outputs differed at the edge
/// errors   the engine's and the maker's; Error(kIo): the file cannot be written
bool write_window(const WaveWindow& window, const Program& program, const Operands& operands,
                  const ArrayMaker& make);

/// A GTKWave save file that shows `window` at its edge: clock and control, then a group for each
/// row and each column of ports. It names the ports of rtl/README.md as Verilator writes them,
/// below TOP.
std::string gtkwave_save_file(const WaveWindow& window, const ArrayShape& shape);

}  // namespace bitpulse::rtl
